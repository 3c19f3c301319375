import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { crowd, fresh, group, it, refused, somebody } from './support.js';

describe('user groups', () => {
  it('add, and it is there from both sides', async () => {
    const [name, team] = [await somebody(), await group()];
    assert.deepEqual(await crowd.user.groups.list(name), []);
    assert.equal(await crowd.user.groups.add(name, team), undefined);
    assert.deepEqual(await crowd.user.groups.list(name), [team]);
    assert.equal(await crowd.user.groups.get(name, team), team);
    assert.deepEqual(await crowd.group.users.list(team), [name]);
  });

  it('add twice', async () => {
    const [name, team] = [await somebody(), await group()];
    await crowd.user.groups.add(name, team);
    await refused(crowd.user.groups.add(name, team.toUpperCase()), 'MEMBERSHIP_ALREADY_EXISTS');
    assert.deepEqual(await crowd.user.groups.list(name), [team]);
  });

  it('add to no group, and of nobody', async () => {
    const [name, team] = [await somebody(), await group()];
    await refused(crowd.user.groups.add(name, fresh('nothing')), 'GROUP_NOT_FOUND');
    await refused(crowd.user.groups.add(fresh('nobody'), team), 'USER_NOT_FOUND');
    assert.deepEqual(await crowd.group.users.list(team), []);
  });

  it('get of a group that the user is not in', async () => {
    const [name, team] = [await somebody(), await group()];
    await refused(crowd.user.groups.get(name, team), 'MEMBERSHIP_NOT_FOUND');
    await refused(crowd.user.groups.get(name, team, true), 'MEMBERSHIP_NOT_FOUND');
  });

  it('nested climbs from the direct groups', async () => {
    const [name, team, above, top] = [await somebody(), await group(), await group(), await group()];
    await crowd.user.groups.add(name, team);
    await crowd.group.children.add(above, team);
    await crowd.group.children.add(top, above);
    await crowd.group.children.add(top, team); // by two ways
    assert.deepEqual(await crowd.user.groups.list(name), [team]);
    assert.deepEqual(await crowd.user.groups.list(name, true), [team, above, top].sort());
    assert.equal(await crowd.user.groups.get(name, top, true), top);
    await refused(crowd.user.groups.get(name, top), 'MEMBERSHIP_NOT_FOUND');
  });

  it('list in pages, in an order that stays', async () => {
    const name = await somebody();
    const teams = [];
    for (let i = 0; i < 7; i += 1) {
      teams.push(await group(fresh(i % 2 ? 'Team' : 'team'))); // sorted by folded name, not by bytes
      await crowd.user.groups.add(name, teams[i]);
    }
    teams.sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
    for (const nested of [false, true]) {
      const pages = [];
      for (const start of [0, 3, 6, 9]) {
        pages.push(await crowd.user.groups.list(name, nested, start, 3));
      }
      assert.deepEqual(pages.map((page) => page.length), [3, 3, 1, 0]);
      assert.deepEqual(pages.flat(), teams);
      assert.deepEqual(await crowd.user.groups.list(name, nested, 0, -1), teams);
    }
  });

  it('list of nobody', async () => {
    const name = fresh('nobody');
    await refused(crowd.user.groups.list(name), 'USER_NOT_FOUND', `User <${name}> does not exist`);
    await refused(crowd.user.groups.list(name, true), 'USER_NOT_FOUND', `User <${name}> does not exist`);
  });

  it('list with a page that makes no sense', async () => {
    const name = await somebody();
    await refused(crowd.user.groups.list(name, false, -1), 'ILLEGAL_ARGUMENT');
    await refused(crowd.user.groups.list(name, false, 0, -2), 'ILLEGAL_ARGUMENT');
    await refused(crowd.user.groups.list(name, false, 0, 'many'), 'ILLEGAL_ARGUMENT');
    assert.deepEqual(await crowd.user.groups.list(name, false, 0, 0), []);
  });

  it('remove, and again', async () => {
    const [name, team] = [await somebody(), await group()];
    await crowd.user.groups.add(name, team);
    assert.equal(await crowd.user.groups.remove(name, team), undefined);
    assert.deepEqual(await crowd.user.groups.list(name), []);
    await refused(crowd.user.groups.remove(name, team), 'MEMBERSHIP_NOT_FOUND');
  });

  it('remove of nobody, and from no group', async () => {
    const [name, team] = [await somebody(), await group()];
    await refused(crowd.user.groups.remove(fresh('nobody'), team), 'USER_NOT_FOUND');
    await refused(crowd.user.groups.remove(name, fresh('nothing')), 'GROUP_NOT_FOUND');
    await refused(crowd.user.groups.remove(fresh('nobody'), fresh('nothing')), 'USER_NOT_FOUND');
  });

  it('names with every kind of character', async () => {
    const [name, team] = [await somebody({ name: fresh('ö & a+b/c?#') }), await group(fresh('ß & <x> %20'))];
    await crowd.user.groups.add(name, team);
    assert.equal(await crowd.user.groups.get(name, team), team);
    assert.deepEqual(await crowd.user.groups.list(name, true), [team]);
    await crowd.user.groups.remove(name, team);
    assert.deepEqual(await crowd.user.groups.list(name), []);
  });
});
