// Letters need a mail server. Where CROWD_MAIL is set the server has one for example.test, and
// whoever started it sees in the mailbox whether they arrived.

import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { applications, client, crowd, fresh, it, refused, somebody } from './support.js';

const hasMail = Boolean(process.env.CROWD_MAIL);

if (hasMail) {
  describe('letters', () => {
    it('password.reset', async () => {
      const name = fresh('ada & co');
      await somebody({ name, email: 'reset@example.test' });
      assert.equal(await crowd.user.password.reset(name.toUpperCase()), undefined);
      await crowd.authentication.authenticate(name, 'difference'); // until another is chosen
    });

    it('password.reset of nobody, of somebody without an address, and by who may only read', async () => {
      await refused(crowd.user.password.reset(fresh('nobody')), 'USER_NOT_FOUND');
      await refused(crowd.user.password.reset(await somebody({ email: '' })), 'INVALID_EMAIL');
      await refused(client(applications.reader).user.password.reset(await somebody()), 'APPLICATION_PERMISSION_DENIED');
    });

    it('username.request', async () => {
      await somebody({ email: 'names@example.test' });
      assert.equal(await crowd.user.username.request('NAMES@example.test'), undefined);
    });

    it('username.request for an address that nobody has, and for what is none', async () => {
      assert.equal(await crowd.user.username.request('unknown@example.test'), undefined);
      await refused(crowd.user.username.request('unknown'), 'INVALID_EMAIL');
      await refused(crowd.user.username.request(''), 'ILLEGAL_ARGUMENT');
    });
  });
} else {
  describe('letters without a mail server', () => {
    it('are refused, and say what is missing', async () => {
      await refused(crowd.user.password.reset(await somebody()), 'UNSUPPORTED_OPERATION', /ROLLCALL_MAIL_HOST/);
      await refused(crowd.user.username.request('ada@example.test'), 'UNSUPPORTED_OPERATION', /ROLLCALL_MAIL_HOST/);
    });
  });
}
