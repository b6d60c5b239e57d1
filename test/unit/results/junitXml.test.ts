import assert from 'node:assert/strict';
import { test } from 'node:test';
import { junitXml } from '../../../src/ml/results/junitXml.ts';

test('tests become JUnit’s XML, whatever their names and messages hold', () => {
  const xml = junitXml('a & b.json', [
    { name: '<good>', seconds: 1.5, failures: [] },
    { name: 'bad', seconds: 0.25, failures: ['Expected "more".', 'line\u0000two\ud800'] },
    { name: 'gone', seconds: 0, failures: [], error: 'There is no run.' },
  ]);
  assert.equal(
    xml,
    `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
<testsuite name="a &amp; b.json" tests="3" failures="1" errors="1" time="1.750">
<testcase classname="a &amp; b.json" name="&lt;good&gt;" time="1.500"/>
<testcase classname="a &amp; b.json" name="bad" time="0.250"><failure message="Expected &quot;more&quot;.">Expected &quot;more&quot;.
line\ufffdtwo\ufffd</failure></testcase>
<testcase classname="a &amp; b.json" name="gone" time="0.000"><error message="There is no run."/></testcase>
</testsuite>
</testsuites>
`,
  );
});
