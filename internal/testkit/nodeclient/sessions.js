import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { User, allowedGroup, applications, client, crowd, fresh, it, refused, somebody } from './support.js';

const seconds = (from, to) => Math.round((to - from) / 1000);

describe('session', () => {
  it('create answers a token and its times', async () => {
    const name = await somebody();
    const began = Date.now();
    const session = await crowd.session.create(name, 'difference');
    assert.match(session.token, /^[A-Za-z0-9_-]{20,}$/);
    assert.ok(Math.abs(session.createdAt - began) < 30_000, `created at ${session.createdAt}`);
    assert.equal(seconds(session.createdAt, session.expiresAt), 600); // what the client asks for by default
  });

  it('create for a while, and never for longer than the server allows', async () => {
    const name = await somebody();
    const short = await crowd.session.create(name, 'difference', undefined, 60);
    assert.equal(seconds(short.createdAt, short.expiresAt), 60);
    const other = await somebody();
    const long = await crowd.session.create(other, 'difference', undefined, 10 * 365 * 24 * 3600);
    assert.ok(seconds(long.createdAt, long.expiresAt) < 24 * 3600, `expires at ${long.expiresAt}`);
  });

  it('create with the wrong password, of nobody, and without a password', async () => {
    const name = await somebody();
    await refused(crowd.session.create(name, 'engine'), 'INVALID_USER_AUTHENTICATION');
    await refused(crowd.session.create(name, ''), 'INVALID_USER_AUTHENTICATION');
    await refused(crowd.session.create(name), 'INVALID_USER_AUTHENTICATION');
    await refused(crowd.session.create(fresh('nobody'), 'difference'), 'INVALID_USER_AUTHENTICATION');
  });

  it('create of an inactive user', async () => {
    await refused(crowd.session.create(await somebody({ active: false }), 'difference'), 'INACTIVE_ACCOUNT');
  });

  it('create again answers the token that lives', async () => {
    const name = await somebody();
    const first = await crowd.session.create(name, 'difference');
    assert.equal((await crowd.session.create(name, 'difference')).token, first.token);
    assert.equal((await crowd.session.create(name.toUpperCase(), 'difference')).token, first.token);
  });

  it('createUnvalidated asks for no password', async () => {
    const name = await somebody();
    const session = await crowd.session.createUnvalidated(name);
    assert.equal((await crowd.session.getUser(session.token)).username, name);
    assert.equal(seconds(session.createdAt, session.expiresAt), 600);
    await refused(crowd.session.createUnvalidated(fresh('nobody')), 'INVALID_USER_AUTHENTICATION');
    await refused(crowd.session.createUnvalidated(await somebody({ active: false })), 'INACTIVE_ACCOUNT');
  });

  it('getUser answers the whole user', async () => {
    const name = await somebody({ name: fresh('AdA') });
    const { token } = await crowd.session.create(name.toLowerCase(), 'difference');
    const user = await crowd.session.getUser(token);
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

  it('validate answers the session', async () => {
    const { token, createdAt } = await crowd.session.create(await somebody(), 'difference');
    const session = await crowd.session.validate(token);
    assert.equal(session.token, token);
    assert.equal(seconds(session.createdAt, createdAt), 0);
    assert.ok(session.expiresAt > new Date());
  });

  it('any application may validate it', async () => {
    const { token } = await crowd.session.create(await somebody(), 'difference');
    assert.equal((await client(applications.reader).session.validate(token)).token, token);
  });

  it('a token that never was', async () => {
    await refused(crowd.session.validate('AAAAAAAAAAAAAAAAAAAAAA00'), 'INVALID_SSO_TOKEN');
    await refused(crowd.session.getUser('AAAAAAAAAAAAAAAAAAAAAA00'), 'INVALID_SSO_TOKEN');
    await refused(crowd.session.getUser(encodeURIComponent('no/such & token')), 'INVALID_SSO_TOKEN');
  });

  it('a token whose time is over', async () => {
    const { token } = await crowd.session.create(await somebody(), 'difference', undefined, 1);
    await new Promise((resolve) => setTimeout(resolve, 2_100)); // without asking: that would prolong it
    await refused(crowd.session.validate(token), 'INVALID_SSO_TOKEN');
    await refused(crowd.session.getUser(token), 'INVALID_SSO_TOKEN');
  });

  it('validate prolongs it', async () => {
    const { token } = await crowd.session.create(await somebody(), 'difference', undefined, 5);
    for (let i = 0; i < 6; i += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await crowd.session.validate(token);
    }
  });

  it('remove ends it, and again is no error', async () => {
    const { token } = await crowd.session.create(await somebody(), 'difference');
    assert.equal(await crowd.session.remove(token), undefined);
    await refused(crowd.session.validate(token), 'INVALID_SSO_TOKEN');
    await refused(crowd.session.getUser(token), 'INVALID_SSO_TOKEN');
    assert.equal(await crowd.session.remove(token), undefined);
  });

  it('a user who is deactivated, or removed, is signed out', async () => {
    const [ada, eve] = [await somebody(), await somebody()];
    const tokens = [(await crowd.session.create(ada, 'difference')).token, (await crowd.session.create(eve, 'difference')).token];
    await crowd.user.update(ada, new User('Ada', 'Lovelace', '', 'ada@example.test', ada, undefined, false));
    await crowd.user.remove(eve);
    for (const token of tokens) {
      await refused(crowd.session.validate(token), 'INVALID_SSO_TOKEN');
    }
  });

  it('a renamed user stays signed in', async () => {
    const [old, name] = [await somebody(), fresh('augusta')];
    const { token } = await crowd.session.create(old, 'difference');
    await crowd.user.rename(old, name);
    assert.equal((await crowd.session.getUser(token)).username, name);
  });

  it('a user outside the groups that may log in', async () => {
    const [inside, outside] = [await somebody(), await somebody()];
    await crowd.user.groups.add(inside, allowedGroup);
    const members = client(applications.members);
    assert.ok((await members.session.create(inside, 'difference')).token);
    await refused(members.session.create(outside, 'difference'), 'APPLICATION_PERMISSION_DENIED', 'Application Permission Denied');
    const { token } = await crowd.session.create(outside, 'difference');
    await refused(members.session.validate(token), 'APPLICATION_PERMISSION_DENIED', 'Application Permission Denied');
  });
});
