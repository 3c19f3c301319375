import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { Attributes, Group, crowd, fresh, group, it, refused, somebody } from './support.js';

describe('group', () => {
  it('create answers the group', async () => {
    const name = fresh('team');
    const made = await crowd.group.create(new Group(name, 'the <best> & only'));
    assert.ok(made instanceof Group);
    assert.deepEqual({ ...made }, { groupname: name, description: 'the <best> & only', active: true, attributes: [] });
  });

  it('create without a description, inactive', async () => {
    const name = fresh('team');
    const made = await crowd.group.create(new Group(name, undefined, false));
    assert.deepEqual({ ...made }, { groupname: name, description: '', active: false, attributes: [] });
  });

  it('create of a name that is taken, in any case', async () => {
    const name = await group();
    for (const taken of [name, name.toUpperCase()]) {
      await refused(crowd.group.create(new Group(taken, 'another')), 'INVALID_GROUP', 'Group already exists');
    }
    assert.equal((await crowd.group.get(name)).description, 'made by a test');
  });

  it('create of a name with blanks around it, or of none', async () => {
    for (const bad of [` ${fresh('team')}`, `${fresh('team')} `, '']) {
      await refused(crowd.group.create(new Group(bad)), 'INVALID_GROUP');
    }
  });

  it('get in any case answers the stored spelling', async () => {
    const name = await group(fresh('TeaM'));
    assert.equal((await crowd.group.get(name.toLowerCase())).groupname, name);
  });

  it('get of nothing', async () => {
    const name = fresh('nothing');
    await refused(crowd.group.get(name), 'GROUP_NOT_FOUND', `Group <${name}> does not exist`);
  });

  it('names with every kind of character', async () => {
    for (const given of ['R&D <core>', 'a+b=c?d#e', 'sla/sh\\back', 'größe 例え 😀', '100%']) {
      const name = fresh(given);
      assert.equal((await crowd.group.create(new Group(name, given))).groupname, name);
      assert.equal((await crowd.group.get(name)).description, given);
      await crowd.group.remove(name);
      await refused(crowd.group.get(name), 'GROUP_NOT_FOUND', `Group <${name}> does not exist`);
    }
  });

  it('update answers the changed group', async () => {
    const name = await group();
    const changed = await crowd.group.update(name, new Group(name, 'changed', false));
    assert.deepEqual({ ...changed }, { groupname: name, description: 'changed', active: false, attributes: [] });
    assert.deepEqual({ ...await crowd.group.get(name) }, { ...changed });
  });

  it('update can not rename', async () => {
    const name = await group();
    await refused(crowd.group.update(name, new Group(fresh('other'), 'changed')), 'INVALID_GROUP');
    assert.equal((await crowd.group.get(name)).description, 'made by a test');
  });

  it('update of nothing', async () => {
    const name = fresh('nothing');
    await refused(crowd.group.update(name, new Group(name, 'changed')), 'GROUP_NOT_FOUND', `Group <${name}> does not exist`);
  });

  it('remove takes the memberships along', async () => {
    const [name, team, above] = [await somebody(), await group(), await group()];
    await crowd.group.users.add(team, name);
    await crowd.group.children.add(above, team);
    assert.equal(await crowd.group.remove(team), undefined);
    await refused(crowd.group.get(team), 'GROUP_NOT_FOUND');
    assert.deepEqual(await crowd.user.groups.list(name, true), []);
    assert.deepEqual(await crowd.group.children.list(above), []);
    await refused(crowd.group.remove(team), 'GROUP_NOT_FOUND', `Group <${team}> does not exist`);
  });
});

describe('group attributes', () => {
  const values = { text: 'R&D <"ß">', number: 42.5, yes: true, list: ['a', 1], object: { deep: { er: 'ü' } } };

  it('set answers what is stored', async () => {
    const name = await group();
    const set = await crowd.group.attributes.set(name, new Attributes(values));
    assert.ok(set instanceof Attributes);
    assert.deepEqual(set.attributes, values);
    assert.deepEqual((await crowd.group.attributes.list(name)).attributes, values);
  });

  it('a group has them only with expand', async () => {
    const name = await group();
    await crowd.group.attributes.set(name, new Attributes({ colour: 'red' }));
    assert.deepEqual((await crowd.group.get(name)).attributes, []);
    const [{ name: attribute, values: stored }, ...more] = (await crowd.group.get(name, true)).attributes;
    assert.deepEqual([attribute, stored, more], ['colour', ['"red"'], []]); // as the server has it: the client doesn't parse these
  });

  it('set replaces those it names and leaves the others', async () => {
    const name = await group();
    await crowd.group.attributes.set(name, new Attributes({ colour: 'red', size: 1 }));
    const set = await crowd.group.attributes.set(name, new Attributes({ colour: 'blue', shape: 'round' }));
    assert.deepEqual(set.attributes, { colour: 'blue', size: 1, shape: 'round' });
  });

  it('remove takes one away, and of one that is not there is no error', async () => {
    const name = await group();
    await crowd.group.attributes.set(name, new Attributes({ colour: 'red', 'a b&c+d': 1 }));
    assert.equal(await crowd.group.attributes.remove(name, 'a b&c+d'), undefined);
    assert.equal(await crowd.group.attributes.remove(name, 'a b&c+d'), undefined);
    assert.deepEqual((await crowd.group.attributes.list(name)).attributes, { colour: 'red' });
  });

  it('of nothing', async () => {
    const name = fresh('nothing');
    await refused(crowd.group.attributes.list(name), 'GROUP_NOT_FOUND', `Group <${name}> does not exist`);
    await refused(crowd.group.attributes.set(name, new Attributes({ colour: 'red' })), 'GROUP_NOT_FOUND');
    await refused(crowd.group.attributes.remove(name, 'colour'), 'GROUP_NOT_FOUND');
  });
});
