import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { ValidationFactors, crowd, fresh, it, refused, somebody } from './support.js';

const from = (address) => new ValidationFactors({ remote_address: address });

describe('session validation factors', () => {
  it('the same ones, in any order, are right', async () => {
    const { token } = await crowd.session.create(await somebody(), 'difference', new ValidationFactors({ remote_address: '10.0.0.7', remote_host: 'höst & co' }));
    const session = await crowd.session.validate(token, new ValidationFactors({ remote_host: 'höst & co', remote_address: '10.0.0.7' }));
    assert.equal(session.token, token);
  });

  it('others are not', async () => {
    const { token } = await crowd.session.create(await somebody(), 'difference', from('10.0.0.7'));
    await refused(crowd.session.validate(token, from('10.0.0.8')), 'INVALID_SSO_TOKEN');
    await refused(crowd.session.validate(token), 'INVALID_SSO_TOKEN');
    await crowd.session.validate(token, from('10.0.0.7'));
  });

  it('none where there were none', async () => {
    const { token } = await crowd.session.create(await somebody(), 'difference');
    assert.equal((await crowd.session.validate(token)).token, token);
    assert.equal((await crowd.session.validate(token, new ValidationFactors({}))).token, token);
    await refused(crowd.session.validate(token, from('10.0.0.7')), 'INVALID_SSO_TOKEN');
  });

  it('getUser asks for none', async () => {
    const name = await somebody();
    const { token } = await crowd.session.create(name, 'difference', from('10.0.0.7'));
    assert.equal((await crowd.session.getUser(token)).username, name);
  });

  it('each set has a session of its own', async () => {
    const name = await somebody();
    const here = await crowd.session.create(name, 'difference', from('10.0.0.7'));
    const there = await crowd.session.create(name, 'difference', from('10.0.0.8'));
    assert.notEqual(here.token, there.token);
    assert.equal((await crowd.session.create(name, 'difference', from('10.0.0.7'))).token, here.token);
    assert.equal((await crowd.session.createUnvalidated(name, from('10.0.0.8'))).token, there.token);
  });

  it('removeAll ends them all', async () => {
    const [name, other] = [await somebody(), await somebody()];
    const here = await crowd.session.create(name, 'difference', from('10.0.0.7'));
    const there = await crowd.session.create(name, 'difference', from('10.0.0.8'));
    const others = await crowd.session.create(other, 'difference');
    assert.equal(await crowd.session.removeAll(name), undefined);
    await refused(crowd.session.getUser(here.token), 'INVALID_SSO_TOKEN');
    await refused(crowd.session.getUser(there.token), 'INVALID_SSO_TOKEN');
    assert.equal((await crowd.session.getUser(others.token)).username, other);
  });

  it('removeAll but one', async () => {
    const name = await somebody();
    const here = await crowd.session.create(name, 'difference', from('10.0.0.7'));
    const there = await crowd.session.create(name, 'difference', from('10.0.0.8'));
    await crowd.session.removeAll(name, here.token);
    assert.equal((await crowd.session.getUser(here.token)).username, name);
    await refused(crowd.session.getUser(there.token), 'INVALID_SSO_TOKEN');
  });

  it('removeAll of nobody is no error', async () => {
    assert.equal(await crowd.session.removeAll(fresh('nobody')), undefined);
  });
});
