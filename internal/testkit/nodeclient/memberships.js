import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { crowd, fresh, group, it, somebody } from './support.js';

const entities = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#34;': '"', '&#39;': '\'', '&apos;': '\'', '&amp;': '&' };
const plain = (text) => text.replace(/&[a-z0-9#]+;/g, (entity) => entities[entity]);
const names = (xml, element) => [...xml.matchAll(new RegExp(`<${element} name="([^"]*)"`, 'g'))].map((found) => plain(found[1])).sort();

// read gives the members of each group in the dump. python-crowd needs both lists in each.
function read(xml) {
  const found = new Map();
  for (const [, name, inside] of xml.matchAll(/<membership group="([^"]*)">(.*?)<\/membership>/gs)) {
    assert.match(inside, /^<users(\/>|>.*<\/users>)<groups(\/>|>.*<\/groups>)$/s);
    assert.ok(!found.has(plain(name)), `${plain(name)} is there twice`);
    found.set(plain(name), { users: names(inside, 'user'), groups: names(inside, 'group') });
  }
  return found;
}

describe('group membership', () => {
  it('has every group with its direct members', async () => {
    const [top, team, empty] = [await group(fresh('R&D <"top">')), await group(), await group()];
    const [ada, eve] = [await somebody(), await somebody({ name: fresh('eve & co'), active: false })];
    await crowd.group.children.add(top, team);
    await crowd.group.users.add(top, ada);
    await crowd.group.users.add(team, ada);
    await crowd.group.users.add(team, eve);

    const xml = await crowd.group.membership();
    assert.match(xml, /^<\?xml version="1\.0" encoding="UTF-8" standalone="yes"\?><memberships>.*<\/memberships>$/s);
    const dump = read(xml);
    assert.deepEqual(dump.get(top), { users: [ada], groups: [team] });
    assert.deepEqual(dump.get(team), { users: [ada, eve].sort(), groups: [] });
    assert.deepEqual(dump.get(empty), { users: [], groups: [] });
  });

  it('follows what is removed', async () => {
    const [team, gone, name] = [await group(), await group(), await somebody()];
    await crowd.group.users.add(team, name);
    await crowd.group.users.add(gone, name);
    await crowd.group.users.remove(team, name);
    await crowd.group.remove(gone);
    const dump = read(await crowd.group.membership());
    assert.deepEqual(dump.get(team), { users: [], groups: [] });
    assert.equal(dump.get(gone), undefined);
  });
});
