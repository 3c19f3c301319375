import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { Attributes, Group, User, applications, client, crowd, fresh, group, it, refused, somebody, url } from './support.js';

describe('cookie configuration', () => {
  it('has a domain, a name and whether it is secure', async () => {
    assert.deepEqual(await crowd.config.cookie(), { domain: '', name: 'crowd.token_key', secure: false });
  });
});

describe('application', () => {
  it('the address with and without the context, and with a slash at the end', async () => {
    const root = url.replace(/\/crowd\/?$/, '');
    for (const baseUrl of [`${root}/crowd`, `${root}/crowd/`, root, `${root}/`]) {
      assert.equal((await client(undefined, { baseUrl }).config.cookie()).name, 'crowd.token_key');
    }
  });

  it('its name in any case', async () => {
    assert.equal((await client(applications.full.toUpperCase()).config.cookie()).name, 'crowd.token_key');
  });

  it('a wrong password, and a name that nobody has', async () => {
    for (const application of [{ name: applications.full, password: 'wrong' }, { name: fresh('nothing'), password: 'wrong' }, { name: '', password: '' }]) {
      const stranger = client(undefined, { application });
      await refused(stranger.config.cookie(), 'APPLICATION_ACCESS_DENIED', 'Application Authorization Error');
      await refused(stranger.user.get('ada'), 'APPLICATION_ACCESS_DENIED', 'Application Authorization Error');
    }
  });

  it('an address from which it may not call', async () => {
    const elsewhere = client(applications.elsewhere);
    await refused(elsewhere.config.cookie(), 'APPLICATION_PERMISSION_DENIED', 'Application Permission Denied');
    await refused(elsewhere.session.create('ada', 'difference'), 'APPLICATION_PERMISSION_DENIED', 'Application Permission Denied');
  });

  it('one that may only read', async () => {
    const reader = client(applications.reader);
    const [name, team] = [await somebody(), await group()];
    await crowd.group.users.add(team, name);
    assert.equal((await reader.user.get(name)).username, name);
    assert.deepEqual(await reader.group.users.list(team), [name]);
    assert.equal((await reader.authentication.authenticate(name, 'difference')).username, name);

    const user = (given) => new User('Eve', 'Other', '', 'eve@example.test', given, 'secret');
    for (const write of [
      () => reader.user.create(user(fresh('eve'))),
      () => reader.user.update(name, user(name)),
      () => reader.user.rename(name, fresh('eve')),
      () => reader.user.remove(name),
      () => reader.user.attributes.set(name, new Attributes({ colour: 'red' })),
      () => reader.user.attributes.remove(name, 'colour'),
      () => reader.user.password.set(name, 'engine'),
      () => reader.user.groups.remove(name, team),
      () => reader.group.create(new Group(fresh('team'))),
      () => reader.group.update(team, new Group(team, 'changed')),
      () => reader.group.remove(team),
      () => reader.group.attributes.set(team, new Attributes({ colour: 'red' })),
      () => reader.group.users.remove(team, name),
    ]) {
      await refused(write(), 'APPLICATION_PERMISSION_DENIED', 'Application Permission Denied');
    }
    assert.equal((await crowd.user.get(name)).firstname, 'Ada');
    assert.deepEqual(await crowd.group.users.list(team), [name]);
    assert.equal((await crowd.group.get(team)).description, 'made by a test');
    await crowd.authentication.authenticate(name, 'difference');
  });

  it('a resource that is not there is an error that the client can read', async () => {
    await assert.rejects(crowd.request('GET', '/no-such-resource'), (err) => {
      assert.notEqual(err.type, 'INVALID_RESPONSE');
      assert.match(err.type, /^[A-Z_]+$/);
      assert.match(err.message, /\S/);
      return true;
    });
  });

  it('a body of the wrong shape is an error that the client can read', async () => {
    await refused(crowd.request('POST', '/user', ['not', 'a', 'user']), 'ILLEGAL_ARGUMENT');
    await refused(crowd.request('POST', '/user'), 'ILLEGAL_ARGUMENT');
  });
});
