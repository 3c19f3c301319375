import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { User, client, applications, allowedGroup, crowd, fresh, it, refused, somebody } from './support.js';

const wrong = 'Failed to authenticate principal, password was invalid';

describe('authentication', () => {
  it('the right password answers the user', async () => {
    const name = await somebody();
    const user = await crowd.authentication.authenticate(name, 'difference');
    assert.ok(user instanceof User);
    assert.deepEqual({ ...user }, {
      firstname: 'Ada',
      lastname: 'Lovelace',
      displayname: 'Ada Lovelace',
      email: 'ada@example.test',
      username: name,
      password: undefined,
      active: true,
      attributes: [],
    });
  });

  it('the name in any case answers the stored spelling', async () => {
    const name = await somebody({ name: fresh('AdA') });
    assert.equal((await crowd.authentication.authenticate(name.toLowerCase(), 'difference')).username, name);
  });

  it('the wrong password', async () => {
    const name = await somebody();
    await refused(crowd.authentication.authenticate(name, 'engine'), 'INVALID_USER_AUTHENTICATION', wrong);
    await refused(crowd.authentication.authenticate(name, 'Difference'), 'INVALID_USER_AUTHENTICATION', wrong);
  });

  it('no password', async () => {
    await refused(crowd.authentication.authenticate(await somebody(), ''), 'INVALID_USER_AUTHENTICATION');
  });

  it('nobody', async () => {
    const name = fresh('nobody');
    await refused(crowd.authentication.authenticate(name, 'difference'), 'USER_NOT_FOUND', `User <${name}> does not exist`);
  });

  it('an inactive user, with the right password and a wrong one', async () => {
    const name = await somebody({ active: false });
    await refused(crowd.authentication.authenticate(name, 'difference'), 'INACTIVE_ACCOUNT');
    await refused(crowd.authentication.authenticate(name, 'engine'), 'INACTIVE_ACCOUNT');
  });

  it('a user outside the groups that may log in', async () => {
    const [inside, outside] = [await somebody(), await somebody()];
    await crowd.user.groups.add(inside, allowedGroup);
    const members = client(applications.members);
    assert.equal((await members.authentication.authenticate(inside, 'difference')).username, inside);
    await refused(members.authentication.authenticate(outside, 'difference'), 'INVALID_USER_AUTHENTICATION');
  });

  it('passwords of every kind', async () => {
    for (const password of ['pass word', '"<&>\'\\', 'größe', '密码😀', 'a:b', ' blanks around ', 'x'.repeat(300)]) {
      const name = await somebody({ password });
      assert.equal((await crowd.authentication.authenticate(name, password)).username, name);
      await refused(crowd.authentication.authenticate(name, `${password}x`), 'INVALID_USER_AUTHENTICATION', wrong);
    }
  });
});

describe('user password', () => {
  it('set replaces the old one', async () => {
    const name = await somebody();
    assert.equal(await crowd.user.password.set(name, 'engine'), undefined);
    assert.equal((await crowd.authentication.authenticate(name, 'engine')).username, name);
    await refused(crowd.authentication.authenticate(name, 'difference'), 'INVALID_USER_AUTHENTICATION', wrong);
  });

  it('set of the first one', async () => {
    const name = await somebody({ password: undefined });
    await crowd.user.password.set(name, 'engine');
    assert.equal((await crowd.authentication.authenticate(name, 'engine')).username, name);
  });

  it('set ends the sessions', async () => {
    const name = await somebody();
    const { token } = await crowd.session.create(name, 'difference');
    await crowd.user.password.set(name, 'engine');
    await refused(crowd.session.validate(token), 'INVALID_SSO_TOKEN');
  });

  it('set of none', async () => {
    const name = await somebody();
    await refused(crowd.user.password.set(name, ''), 'INVALID_CREDENTIAL', 'You cannot have an empty password');
    await crowd.authentication.authenticate(name, 'difference');
  });

  it('set for nobody', async () => {
    const name = fresh('nobody');
    await refused(crowd.user.password.set(name, 'engine'), 'USER_NOT_FOUND', `User <${name}> does not exist`);
  });
});
