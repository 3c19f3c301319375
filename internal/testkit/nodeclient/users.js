import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { User, crowd, fresh, group, it, refused, somebody } from './support.js';

describe('user', () => {
  it('create answers the user', async () => {
    const name = fresh('ada');
    const user = await crowd.user.create(new User('Ada', 'Lovelace', 'Countess Lovelace', 'ada@example.test', name, 'difference'));
    assert.ok(user instanceof User);
    const { attributes, ...fields } = user;
    assert.deepEqual(fields, {
      firstname: 'Ada',
      lastname: 'Lovelace',
      displayname: 'Countess Lovelace',
      email: 'ada@example.test',
      username: name,
      password: undefined,
      active: true,
    });
    assert.ok(attributes.some((attribute) => attribute.name === 'passwordLastChanged')); // this one answer has them unasked
  });

  it('create makes a display name of the other two', async () => {
    const user = await crowd.user.create(new User('Ada', 'Lovelace', '', 'ada@example.test', fresh('ada'), 'difference'));
    assert.equal(user.displayname, 'Ada Lovelace');
  });

  it('create of an inactive user', async () => {
    const name = await somebody({ active: false });
    assert.equal((await crowd.user.get(name)).active, false);
  });

  it('create without a password makes a user who can not log in', async () => {
    const name = await somebody({ password: undefined });
    assert.equal((await crowd.user.get(name)).username, name);
    await refused(crowd.authentication.authenticate(name, 'difference'), 'INVALID_USER_AUTHENTICATION');
  });

  it('create of a name that is taken, in any case', async () => {
    const name = await somebody();
    for (const taken of [name, name.toUpperCase()]) {
      await refused(
        crowd.user.create(new User('Other', 'Person', 'Other Person', 'other@example.test', taken, 'engine')),
        'INVALID_USER',
        'User already exists',
      );
    }
    assert.equal((await crowd.user.get(name)).firstname, 'Ada');
  });

  it('create of a name with blanks around it, or of none', async () => {
    for (const bad of [` ${fresh('ada')}`, `${fresh('ada')} `, '']) {
      await refused(crowd.user.create(new User('Ada', 'Lovelace', '', 'ada@example.test', bad, 'difference')), 'INVALID_USER');
    }
  });

  it('get in any case answers the stored spelling', async () => {
    const name = await somebody({ name: fresh('AdA') });
    assert.equal((await crowd.user.get(name.toLowerCase())).username, name);
    assert.equal((await crowd.user.get(name.toUpperCase())).username, name);
  });

  it('get of nobody', async () => {
    const name = fresh('nobody');
    await refused(crowd.user.get(name), 'USER_NOT_FOUND', `User <${name}> does not exist`);
  });

  it('names and fields with every kind of character', async () => {
    for (const given of ['o\'brien & söhne', 'a+b=c?d#e', 'sla/sh\\back', '<tag> "quoted"', '100% 例え.jp', '😀 laughing', 'émile@example.test']) {
      const name = fresh(given);
      await somebody({ name, first: given, last: `${given}!`, display: `<${given}>`, email: `${given}@example.test` });
      const user = await crowd.user.get(name);
      assert.equal(user.username, name);
      assert.equal(user.firstname, given);
      assert.equal(user.lastname, `${given}!`);
      assert.equal(user.displayname, `<${given}>`);
      assert.equal(user.email, `${given}@example.test`);
      await crowd.user.remove(name);
      await refused(crowd.user.get(name), 'USER_NOT_FOUND', `User <${name}> does not exist`);
    }
  });

  it('update answers the changed user and leaves the password alone', async () => {
    const name = await somebody();
    const user = await crowd.user.update(name, new User('Augusta', 'King', 'Augusta King', 'king@example.test', name));
    assert.ok(user instanceof User);
    for (const got of [user, await crowd.user.get(name)]) {
      assert.equal(got.firstname, 'Augusta');
      assert.equal(got.lastname, 'King');
      assert.equal(got.displayname, 'Augusta King');
      assert.equal(got.email, 'king@example.test');
    }
    assert.equal((await crowd.authentication.authenticate(name, 'difference')).firstname, 'Augusta');
  });

  it('update ignores a password', async () => {
    const name = await somebody();
    await crowd.user.update(name, new User('Ada', 'Lovelace', '', 'ada@example.test', name, 'another'));
    await refused(crowd.authentication.authenticate(name, 'another'), 'INVALID_USER_AUTHENTICATION');
    await crowd.authentication.authenticate(name, 'difference');
  });

  it('update deactivates and activates', async () => {
    const name = await somebody();
    const as = (active) => new User('Ada', 'Lovelace', 'Ada Lovelace', 'ada@example.test', name, undefined, active);
    assert.equal((await crowd.user.update(name, as(false))).active, false);
    await refused(crowd.authentication.authenticate(name, 'difference'), 'INACTIVE_ACCOUNT');
    assert.equal((await crowd.user.update(name, as(true))).active, true);
    await crowd.authentication.authenticate(name, 'difference');
  });

  it('update can not rename', async () => {
    const name = await somebody();
    await refused(crowd.user.update(name, new User('Ada', 'Lovelace', '', 'ada@example.test', fresh('eve'))), 'ILLEGAL_ARGUMENT');
    assert.equal((await crowd.user.get(name)).username, name);
  });

  it('update of nobody', async () => {
    const name = fresh('nobody');
    await refused(crowd.user.update(name, new User('No', 'Body', '', '', name)), 'USER_NOT_FOUND', `User <${name}> does not exist`);
  });

  it('rename keeps password, attributes and groups', async () => {
    const [old, name, team] = [await somebody(), fresh('augusta'), await group()];
    await crowd.user.groups.add(old, team);
    const answer = await crowd.user.rename(old, name);
    assert.equal(answer.name, name);
    await refused(crowd.user.get(old), 'USER_NOT_FOUND');
    assert.equal((await crowd.user.get(name)).firstname, 'Ada');
    assert.deepEqual(await crowd.user.groups.list(name), [team]);
    assert.deepEqual(await crowd.group.users.list(team), [name]);
    await crowd.authentication.authenticate(name, 'difference');
  });

  it('rename keeps the key', async () => {
    const [old, name] = [await somebody(), fresh('augusta')];
    const { key } = await crowd.request('GET', `/user?username=${old}`);
    assert.match(key, /^\d+:\S+$/);
    assert.equal((await crowd.user.rename(old, name)).key, key);
    assert.equal((await crowd.request('GET', `/user?key=${encodeURIComponent(key)}`)).name, name);
  });

  it('rename that changes only the case', async () => {
    const name = await somebody();
    assert.equal((await crowd.user.rename(name, name.toUpperCase())).name, name.toUpperCase());
    assert.equal((await crowd.user.get(name)).username, name.toUpperCase());
  });

  it('rename to a name that is taken, or to none', async () => {
    const [ada, eve] = [await somebody(), await somebody({ name: fresh('eve') })];
    await refused(crowd.user.rename(ada, eve.toUpperCase()), 'INVALID_USER');
    await refused(crowd.user.rename(ada, ''), 'INVALID_USER');
    assert.equal((await crowd.user.get(ada)).username, ada);
  });

  it('rename of nobody', async () => {
    await refused(crowd.user.rename(fresh('nobody'), fresh('somebody')), 'USER_NOT_FOUND');
  });

  it('remove takes the memberships along', async () => {
    const [name, team] = [await somebody(), await group()];
    await crowd.user.groups.add(name, team);
    assert.equal(await crowd.user.remove(name), undefined);
    await refused(crowd.user.get(name), 'USER_NOT_FOUND');
    assert.deepEqual(await crowd.group.users.list(team), []);
    await refused(crowd.user.remove(name), 'USER_NOT_FOUND', `User <${name}> does not exist`);
  });

  it('remove and create again is another person', async () => {
    const name = await somebody();
    const before = await crowd.request('GET', `/user?username=${name}`);
    await crowd.user.remove(name);
    await somebody({ name, password: 'engine' });
    const after = await crowd.request('GET', `/user?username=${name}`);
    assert.notEqual(after.key, before.key);
    await refused(crowd.authentication.authenticate(name, 'difference'), 'INVALID_USER_AUTHENTICATION');
  });

  it('many at once on several connections', async () => {
    const names = await Promise.all(Array.from({ length: 40 }, () => somebody()));
    const users = await Promise.all(names.map((name) => crowd.user.get(name)));
    assert.deepEqual(users.map((user) => user.username), names);
  });
});
