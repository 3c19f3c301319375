import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { Group, client, crowd, fresh, group, it, refused } from './support.js';

// A line of three groups, each in the one before.
async function line() {
  const [top, middle, bottom] = [await group(), await group(), await group()];
  await crowd.group.children.add(top, middle);
  await crowd.group.children.add(middle, bottom);
  return [top, middle, bottom];
}

describe('group children', () => {
  it('add and list, direct and nested', async () => {
    const [top, middle, bottom] = await line();
    assert.deepEqual(await crowd.group.children.list(top), [middle]);
    assert.deepEqual(await crowd.group.children.list(top, true), [middle, bottom].sort());
    assert.deepEqual(await crowd.group.children.list(bottom, true), []);
  });

  it('get, direct and nested', async () => {
    const [top, middle, bottom] = await line();
    assert.equal((await crowd.group.children.get(top, middle)).name, middle);
    assert.equal((await crowd.group.children.get(top, bottom, true)).name, bottom);
    await refused(crowd.group.children.get(top, bottom), 'MEMBERSHIP_NOT_FOUND');
  });

  it('list in pages', async () => {
    const top = await group();
    const names = [];
    for (let i = 0; i < 5; i += 1) {
      names.push(await group());
      await crowd.group.children.add(top, names[i]);
    }
    names.sort();
    for (const nested of [false, true]) {
      const pages = [];
      for (const start of [0, 2, 4, 6]) {
        pages.push(await crowd.group.children.list(top, nested, start, 2));
      }
      assert.deepEqual(pages, [names.slice(0, 2), names.slice(2, 4), names.slice(4), []]);
    }
  });

  it('remove, and again', async () => {
    const [top, middle] = await line();
    assert.equal(await crowd.group.children.remove(top, middle), undefined);
    assert.deepEqual(await crowd.group.children.list(top, true), []);
    await refused(crowd.group.children.remove(top, middle), 'MEMBERSHIP_NOT_FOUND');
    await refused(crowd.group.children.remove(top, fresh('nothing')), 'GROUP_NOT_FOUND');
    await refused(crowd.group.children.remove(fresh('nothing'), middle), 'GROUP_NOT_FOUND');
  });

  it('add twice', async () => {
    const [top, middle] = await line();
    await refused(crowd.group.children.add(top, middle), 'MEMBERSHIP_ALREADY_EXISTS');
  });

  it('add of nothing, and to nothing', async () => {
    const [team, missing] = [await group(), fresh('nothing')];
    await refused(crowd.group.children.add(team, missing), 'GROUP_NOT_FOUND', `Group <${missing}> does not exist`);
    await refused(crowd.group.children.add(missing, team), 'GROUP_NOT_FOUND', `Group <${missing}> does not exist`);
  });

  it('add to itself, and in a circle', async () => {
    const [top, middle, bottom] = await line();
    await refused(crowd.group.children.add(top, top), 'INVALID_MEMBERSHIP', 'Cannot add a group to itself.');
    await refused(crowd.group.children.add(bottom, top), 'INVALID_MEMBERSHIP');
    await refused(crowd.group.children.add(middle, top), 'INVALID_MEMBERSHIP');
    assert.deepEqual(await crowd.group.children.list(bottom), []);
  });

  it('of nothing', async () => {
    await refused(crowd.group.children.list(fresh('nothing')), 'GROUP_NOT_FOUND');
    await refused(crowd.group.children.list(fresh('nothing'), true), 'GROUP_NOT_FOUND');
  });
});

describe('group parents', () => {
  it('list, direct and nested', async () => {
    const [top, middle, bottom] = await line();
    assert.deepEqual(await crowd.group.parents.list(bottom), [middle]);
    assert.deepEqual(await crowd.group.parents.list(bottom, true), [top, middle].sort());
    assert.deepEqual(await crowd.group.parents.list(top, true), []);
  });

  it('get, direct and nested', async () => {
    const [top, middle, bottom] = await line();
    assert.equal(await crowd.group.parents.get(bottom, middle), middle);
    assert.equal(await crowd.group.parents.get(bottom, top, true), top);
    await refused(crowd.group.parents.get(bottom, top), 'MEMBERSHIP_NOT_FOUND');
  });

  it('add, and it is there from both sides', async () => {
    const [parent, child] = [await group(), await group()];
    assert.equal(await crowd.group.parents.add(child, parent), undefined);
    assert.deepEqual(await crowd.group.parents.list(child), [parent]);
    assert.deepEqual(await crowd.group.children.list(parent), [child]);
    await refused(crowd.group.parents.add(child, parent), 'MEMBERSHIP_ALREADY_EXISTS');
  });

  it('add of nothing, to nothing, and in a circle', async () => {
    const [top, , bottom] = await line();
    await refused(crowd.group.parents.add(top, fresh('nothing')), 'GROUP_NOT_FOUND');
    await refused(crowd.group.parents.add(fresh('nothing'), top), 'GROUP_NOT_FOUND');
    await refused(crowd.group.parents.add(top, bottom), 'INVALID_MEMBERSHIP');
    await refused(crowd.group.parents.add(top, top), 'INVALID_MEMBERSHIP', 'Cannot add a group to itself.');
  });

  it('the setting for nesting changes nothing on the wire', async () => {
    const nesting = client(undefined, { nesting: true });
    const [top, middle] = [fresh('group'), await group()];
    await nesting.group.create(new Group(top));
    await nesting.group.parents.add(middle, top);
    assert.deepEqual(await nesting.group.children.list(top, true), [middle]);
  });
});
