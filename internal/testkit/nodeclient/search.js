import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { Attributes, Group, User, applications, client, crowd, fresh, group, it, refused, somebody } from './support.js';

// team creates three people, of whom the last is inactive, under names that begin alike.
async function team() {
  const start = fresh('team');
  const names = [`${start}-Ada`, `${start}-bob`, `${start}-eve`];
  await somebody({ name: names[0], email: `${start}@example.test` });
  await somebody({ name: names[1], first: 'Bob', last: 'Builder', display: `Bob ${start}`, email: `bob-${start}@example.test` });
  await somebody({ name: names[2], first: 'Eve', last: 'Money Penny', display: '', email: '', active: false });
  return { start, names };
}

describe('search', () => {
  it('user by each property, in any case', async () => {
    const { start, names: [ada, bob, eve] } = await team();
    for (const [restriction, want] of [
      [`name = ${ada.toUpperCase()}`, [ada]],
      [`name = "${start}*"`, [ada, bob, eve]],
      [`name = "*${start}*" and active = true`, [ada, bob]],
      [`name = "${start}*" and active = false`, [eve]],
      [`name = "${start}*" and firstName = bob`, [bob]],
      [`name = "${start}*" and lastName = "money penny"`, [eve]],
      [`displayName = "BOB ${start}"`, [bob]],
      [`email = ${start}@EXAMPLE.test`, [ada]],
      [`email = *${start}@example.test`, [ada, bob]],
      [`name = ${ada} or name = ${eve}`, [ada, eve]],
      [`name = ${start}-* and (firstName = ada or firstName = eve)`, [ada, eve]],
      [`name = ${start}* and createdDate > 2020`, [ada, bob, eve]],
      [`name = ${start}* and updatedDate < 2020-12-31`, []],
      [`name = ${fresh('nobody')}`, []],
    ]) {
      assert.deepEqual(await crowd.search.user(restriction), want, restriction);
    }
  });

  it('user by an attribute', async () => {
    const plain = client(undefined, { attributesEncoder: String, attributesParser: String });
    const { start, names: [ada, bob] } = await team();
    await plain.user.attributes.set(ada, new Attributes({ department: `R&D ${start}` }));
    await plain.user.attributes.set(bob, new Attributes({ department: `Ops ${start}` }));
    assert.deepEqual(await plain.search.user(`department = "r&d ${start}"`), [ada]);
    assert.deepEqual(await plain.search.user(`department = "*${start}"`), [ada, bob]);
  });

  it('user expanded', async () => {
    const { start, names } = await team();
    const users = await crowd.search.user(`name = ${start}*`, true);
    assert.deepEqual(users.map((user) => user.username), names);
    assert.ok(users.every((user) => user instanceof User));
    assert.deepEqual(users.map((user) => user.active), [true, true, false]);
    assert.equal(users[0].firstname, 'Ada');
    assert.equal(users[2].displayname, 'Eve Money Penny');
  });

  it('user by pages, and all at once', async () => {
    const { start, names } = await team();
    const restriction = `name = ${start}*`;
    assert.deepEqual(await crowd.search.user(restriction, false, 0, 2), names.slice(0, 2));
    assert.deepEqual(await crowd.search.user(restriction, false, 2, 2), names.slice(2));
    assert.deepEqual(await crowd.search.user(restriction, false, 4, 2), []);
    assert.deepEqual(await crowd.search.user(restriction, false, 0, -1), names);
    const everybody = await crowd.search.user('', false, 0, -1);
    assert.ok(names.every((name) => everybody.includes(name)));
  });

  it('user with every kind of character', async () => {
    for (const given of ['o\'brien & söhne', 'a+b=c?d#e', '<tag> "quoted"', '100% 例え.jp', '😀 laughing']) {
      const name = await somebody({ name: fresh(given) });
      assert.deepEqual(await crowd.search.user(`name = "${name.replaceAll('"', '\\"')}"`), [name]);
    }
  });

  it('group by each property, and expanded', async () => {
    const [one, two] = [await group(fresh('Writers')), fresh('writers & co')];
    await crowd.group.create(new Group(two, `of ${one}`, false));
    assert.deepEqual(await crowd.search.group(`name = ${one.toUpperCase()}`), [one]);
    assert.deepEqual(await crowd.search.group(`description = "of ${one}"`), [two]);
    assert.deepEqual(await crowd.search.group(`name = "${two}" and active = true`), []);
    assert.deepEqual(await crowd.search.group(`name = ${fresh('nothing')}`), []);
    const groups = await crowd.search.group(`name = ${one} or name = "${two}"`, true);
    assert.ok(groups.every((found) => found instanceof Group));
    assert.deepEqual(groups.map((found) => [found.groupname, found.description, found.active]), [
      [two, `of ${one}`, false],
      [one, 'made by a test', true],
    ]);
    assert.deepEqual(await crowd.search.group(`name = ${one} or name = "${two}"`, false, 1, 1), [one]);
  });

  it('what makes no sense says where', async () => {
    for (const restriction of ['name', 'name ! ada', 'name = "ada', '(name = ada', 'createdDate > yesterday', 'active > true']) {
      await refused(crowd.search.user(restriction), 'ILLEGAL_ARGUMENT', /at character \d+|at the end/);
      await refused(crowd.search.group(restriction), 'ILLEGAL_ARGUMENT');
    }
  });

  it('by an application that may only read', async () => {
    const { start, names } = await team();
    assert.deepEqual(await client(applications.reader).search.user(`name = ${start}*`), names);
  });
});
