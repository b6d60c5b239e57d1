/** One test for JUnit's XML. */
export interface JunitTest {
  readonly name: string;
  readonly seconds: number;
  /** What did not come out as expected, a line each. */
  readonly failures: readonly string[];
  /** Why it could not be run. */
  readonly error?: string;
}

/** The tests of one file as JUnit's XML, which CI systems read. */
export function junitXml(suite: string, tests: readonly JunitTest[]): string {
  const seconds = tests.reduce((sum, test) => sum + test.seconds, 0);
  const failures = tests.filter((test) => test.failures.length > 0).length;
  const errors = tests.filter(({ error }) => error !== undefined).length;
  const head = `name="${escaped(suite)}" tests="${tests.length}" failures="${failures}" errors="${errors}" time="${seconds.toFixed(3)}"`;
  const cases = tests.map((test) => {
    const opening = `<testcase classname="${escaped(suite)}" name="${escaped(test.name)}" time="${test.seconds.toFixed(3)}"`;
    const [first] = test.failures;
    if (test.error !== undefined) return `${opening}><error message="${escaped(test.error)}"/></testcase>`;
    if (first === undefined) return `${opening}/>`;
    return `${opening}><failure message="${escaped(first)}">${escaped(test.failures.join('\n'))}</failure></testcase>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n<testsuite ${head}>\n${cases.join('\n')}\n</testsuite>\n</testsuites>\n`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text of an element or of an attribute in double quotes; what XML 1.0 cannot hold becomes U+FFFD. */
function escaped(text: string): string {
  return (
    text
      // eslint-disable-next-line no-control-regex -- these are what XML has no place for
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Cs}]/gu, '\ufffd')
      .replace(/[&<>"]/gu, (sign) => entities[sign] ?? '')
  );
}
