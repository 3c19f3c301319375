// What the tests share: the client with the server's address, fresh names, and how a refusal looks.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';

import CrowdClient from 'atlassian-crowd-client';
import Attributes from 'atlassian-crowd-client/lib/models/attributes.js';
import Group from 'atlassian-crowd-client/lib/models/group.js';
import User from 'atlassian-crowd-client/lib/models/user.js';
import ValidationFactors from 'atlassian-crowd-client/lib/models/validation-factors.js';

export { Attributes, Group, User, ValidationFactors };

function setting(name) {
  const value = process.env[name];
  if (!value) {
    throw new Error(`set ${name}: see README.md`);
  }
  return value;
}

export const url = setting('CROWD_URL');
export const password = setting('CROWD_PASSWORD');

// The applications, which all have the same password.
export const applications = {
  full: setting('CROWD_APPLICATION'), // may do everything in its one directory
  reader: setting('CROWD_READER'), // may only read there
  members: setting('CROWD_MEMBERS'), // only the members of the group CROWD_GROUP may log in to it
  elsewhere: setting('CROWD_ELSEWHERE'), // may not call from this address
};

// The group whose members may log in to applications.members.
export const allowedGroup = setting('CROWD_GROUP');

// client makes one of the real clients.
export function client(application = applications.full, settings = {}) {
  return new CrowdClient({ baseUrl: url, application: { name: application, password }, ...settings });
}

export const crowd = client();

const run = randomBytes(4).toString('hex');
let count = 0;

// fresh gives a name that nothing has yet, in this run or another.
export function fresh(name) {
  count += 1;
  return `${name}-${run}-${count}`;
}

// it is a test that ends: the client itself waits for ever.
export function it(name, check) {
  test(name, { timeout: 30_000 }, check);
}

// somebody creates a user who can log in with `difference`.
export async function somebody(given = {}) {
  const u = { first: 'Ada', last: 'Lovelace', display: 'Ada Lovelace', email: 'ada@example.test', password: 'difference', active: true, ...given };
  const name = u.name ?? fresh('ada');
  await crowd.user.create(new User(u.first, u.last, u.display, u.email, name, u.password, u.active));
  return name;
}

// group creates one and gives its name.
export async function group(name = fresh('group')) {
  await crowd.group.create(new Group(name, 'made by a test'));
  return name;
}

// refused checks that the client rejects with the server's reason as its error's type, and with
// the message where one is given; it must have some.
export function refused(promise, type, message = /\S/) {
  return assert.rejects(promise, { name: 'Error', type, message });
}

// eventually asks until the answer is right, for what the server notes a moment later.
export async function eventually(check) {
  const end = Date.now() + 10_000;
  for (;;) {
    try {
      return await check();
    } catch (err) {
      if (Date.now() > end) {
        throw err;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
