import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { Attributes, client, crowd, eventually, fresh, it, refused, somebody } from './support.js';

// pick leaves out the attributes that the server keeps itself, such as passwordLastChanged.
const pick = ({ attributes }, ...names) => Object.fromEntries(names.filter((n) => n in attributes).map((n) => [n, attributes[n]]));

describe('user attributes', () => {
  const values = { text: 'R&D <"ß">', number: 42.5, yes: true, list: ['a', 1], object: { deep: { er: 'ü' } }, nothing: null };
  const names = Object.keys(values);

  it('set answers what is stored', async () => {
    const name = await somebody();
    const set = await crowd.user.attributes.set(name, new Attributes(values));
    assert.ok(set instanceof Attributes);
    assert.deepEqual(pick(set, ...names), values);
    assert.deepEqual(pick(await crowd.user.attributes.list(name), ...names), values);
    assert.deepEqual(pick({ attributes: (await crowd.user.get(name, true)).attributes }, ...names), values);
  });

  it('a user without expand has none', async () => {
    const name = await somebody();
    await crowd.user.attributes.set(name, new Attributes(values));
    assert.deepEqual((await crowd.user.get(name)).attributes, []);
  });

  it('set replaces those it names and leaves the others', async () => {
    const name = await somebody();
    await crowd.user.attributes.set(name, new Attributes({ colour: 'red', size: 1 }));
    const set = await crowd.user.attributes.set(name, new Attributes({ colour: 'blue', shape: 'round' }));
    assert.deepEqual(pick(set, 'colour', 'size', 'shape'), { colour: 'blue', size: 1, shape: 'round' });
  });

  it('names with every kind of character', async () => {
    const name = await somebody();
    const odd = { 'a b&c=d+e/f?g#h%i': 1, 'größe "x" <y>': 2 };
    assert.deepEqual(pick(await crowd.user.attributes.set(name, new Attributes(odd)), ...Object.keys(odd)), odd);
    for (const attribute of Object.keys(odd)) {
      await crowd.user.attributes.remove(name, attribute);
    }
    assert.deepEqual(pick(await crowd.user.attributes.list(name), ...Object.keys(odd)), {});
  });

  it('values as long as the client allows', async () => {
    const name = await somebody();
    const long = 'é'.repeat(253); // and two quotes
    assert.deepEqual(pick(await crowd.user.attributes.set(name, new Attributes({ long })), 'long'), { long });
  });

  it('remove takes one away', async () => {
    const name = await somebody();
    await crowd.user.attributes.set(name, new Attributes({ colour: 'red', size: 1 }));
    assert.equal(await crowd.user.attributes.remove(name, 'colour'), undefined);
    assert.deepEqual(pick(await crowd.user.attributes.list(name), 'colour', 'size'), { size: 1 });
  });

  it('remove of one that is not there is no error', async () => {
    assert.equal(await crowd.user.attributes.remove(await somebody(), 'colour'), undefined);
  });

  it('the settings for other values than JSON', async () => {
    const name = await somebody();
    const plain = client(undefined, { attributesParser: String, attributesEncoder: String });
    const set = await plain.user.attributes.set(name, new Attributes({ plain: 'not { JSON' }));
    assert.deepEqual(pick(set, 'plain'), { plain: 'not { JSON' });
  });

  it('those that the server keeps parse as JSON, as this client expects', async () => {
    const name = await somebody();
    const began = Date.now();
    await refused(crowd.authentication.authenticate(name, 'wrong'), 'INVALID_USER_AUTHENTICATION');
    await eventually(async () => assert.equal((await crowd.user.attributes.list(name)).attributes.invalidPasswordAttempts, 1));
    await crowd.authentication.authenticate(name, 'difference');
    await eventually(async () => {
      const { attributes } = await crowd.user.attributes.list(name);
      assert.equal(attributes.invalidPasswordAttempts, 0);
      assert.equal(attributes.requiresPasswordChange, false);
      for (const time of [attributes.lastAuthenticated, attributes.passwordLastChanged]) {
        assert.ok(time > began - 60_000 && time <= Date.now() + 1_000, `${time} is not now in milliseconds`);
      }
    });
  });

  it('of nobody', async () => {
    const name = fresh('nobody');
    await refused(crowd.user.attributes.list(name), 'USER_NOT_FOUND', `User <${name}> does not exist`);
    await refused(crowd.user.attributes.set(name, new Attributes({ colour: 'red' })), 'USER_NOT_FOUND');
    await refused(crowd.user.attributes.remove(name, 'colour'), 'USER_NOT_FOUND');
  });
});
