import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { User, crowd, fresh, group, it, refused, somebody } from './support.js';

describe('group users', () => {
  it('add, and it is there from both sides', async () => {
    const [name, team] = [await somebody(), await group()];
    assert.deepEqual(await crowd.group.users.list(team), []);
    assert.equal(await crowd.group.users.add(team, name), undefined);
    assert.deepEqual(await crowd.group.users.list(team), [name]);
    assert.equal(await crowd.group.users.get(team, name), name);
    assert.deepEqual(await crowd.user.groups.list(name), [team]);
  });

  it('add twice', async () => {
    const [name, team] = [await somebody(), await group()];
    await crowd.group.users.add(team, name);
    await refused(crowd.group.users.add(team, name.toUpperCase()), 'MEMBERSHIP_ALREADY_EXISTS');
    assert.deepEqual(await crowd.group.users.list(team), [name]);
  });

  it('add of nobody, and to nothing', async () => {
    const [name, team] = [await somebody(), await group()];
    await refused(crowd.group.users.add(team, fresh('nobody')), 'USER_NOT_FOUND');
    await refused(crowd.group.users.add(fresh('nothing'), name), 'GROUP_NOT_FOUND');
  });

  it('list expanded answers users', async () => {
    const team = await group();
    const [ada, eve] = [await somebody(), await somebody({ name: fresh('eve'), first: 'Eve', active: false })];
    await crowd.group.users.add(team, ada);
    await crowd.group.users.add(team, eve);
    for (const nested of [false, true]) {
      const users = await crowd.group.users.list(team, nested, 0, 1000, true);
      assert.ok(users.every((user) => user instanceof User));
      assert.deepEqual(users.map((user) => [user.username, user.firstname, user.email, user.active]), [
        [ada, 'Ada', 'ada@example.test', true],
        [eve, 'Eve', 'ada@example.test', false],
      ]);
    }
  });

  it('nested descends, and has each once', async () => {
    const [top, team, below] = [await group(), await group(), await group()];
    const [ada, eve, joe] = [await somebody(), await somebody({ name: fresh('eve') }), await somebody({ name: fresh('joe') })];
    await crowd.group.children.add(top, team);
    await crowd.group.children.add(team, below);
    await crowd.group.children.add(top, below);
    await crowd.group.users.add(top, ada);
    await crowd.group.users.add(team, eve);
    await crowd.group.users.add(below, eve);
    await crowd.group.users.add(below, joe);
    assert.deepEqual(await crowd.group.users.list(top), [ada]);
    assert.deepEqual(await crowd.group.users.list(top, true), [ada, eve, joe]);
    assert.equal(await crowd.group.users.get(top, joe, true), joe);
    await refused(crowd.group.users.get(top, joe), 'MEMBERSHIP_NOT_FOUND');
  });

  it('list in pages', async () => {
    const team = await group();
    const names = [];
    for (let i = 0; i < 5; i += 1) {
      names.push(await somebody());
      await crowd.group.users.add(team, names[i]);
    }
    names.sort();
    const pages = [];
    for (const start of [0, 2, 4, 6]) {
      pages.push(await crowd.group.users.list(team, true, start, 2));
    }
    assert.deepEqual(pages.map((page) => page.length), [2, 2, 1, 0]);
    assert.deepEqual(pages.flat(), names);
  });

  it('list of nothing', async () => {
    const name = fresh('nothing');
    await refused(crowd.group.users.list(name), 'GROUP_NOT_FOUND', `Group <${name}> does not exist`);
    await refused(crowd.group.users.list(name, true), 'GROUP_NOT_FOUND', `Group <${name}> does not exist`);
  });

  it('get of one who is not in it', async () => {
    const [name, team] = [await somebody(), await group()];
    await refused(crowd.group.users.get(team, name), 'MEMBERSHIP_NOT_FOUND');
    await refused(crowd.group.users.get(team, name, true), 'MEMBERSHIP_NOT_FOUND');
  });

  it('remove, and again', async () => {
    const [name, team] = [await somebody(), await group()];
    await crowd.group.users.add(team, name);
    assert.equal(await crowd.group.users.remove(team, name), undefined);
    assert.deepEqual(await crowd.group.users.list(team), []);
    await refused(crowd.group.users.remove(team, name), 'MEMBERSHIP_NOT_FOUND');
    await refused(crowd.group.users.remove(team, fresh('nobody')), 'USER_NOT_FOUND');
    await refused(crowd.group.users.remove(fresh('nothing'), name), 'GROUP_NOT_FOUND');
  });
});
