// A reporter for node's test runner that writes a line of JSON for each test: its path, whether
// it passed, and why not. TestAtlassianCrowdClient makes each a test of its own from it.

import { inspect } from 'node:util';

export default async function* report(events) {
  const open = []; // names of the suites and tests around the present one, by nesting
  for await (const { type, data } of events) {
    if (type === 'test:start') {
      open[data.nesting] = data.name;
    }
    if (type !== 'test:pass' && type !== 'test:fail') {
      continue;
    }
    const { error } = data.details;
    if (data.details.type === 'suite' && (!error || error.failureType === 'subtestsFailed')) {
      continue; // its tests speak for it
    }
    const line = { path: [...open.slice(0, data.nesting), data.name], passed: type === 'test:pass' };
    if (data.skip !== undefined || data.todo !== undefined) {
      line.passed = false;
      line.problem = 'skipped or to do: a test that checks nothing';
    }
    if (type === 'test:fail') {
      line.problem = inspect(error.cause ?? error, { depth: 6 });
    }
    yield `${JSON.stringify(line)}\n`;
  }
}
