import eslint from '@eslint/js';
import { importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** The arrows of the architecture: what each room may not import, and why. */
const rooms = [
  ['src/protocol', ['src/extension', 'src/webview', 'src/ml'], 'protocol imports nothing of ours'],
  ['src/extension', ['src/ml', 'src/webview'], 'the extension talks to the other rooms through messages only'],
  ['src/webview', ['src/ml', 'src/extension'], 'a page knows the protocol only'],
  ['src/ml', ['src/extension', 'src/webview'], 'nothing in ml knows that an editor exists'],
  ['src/ml/graph', ['src/ml/!(graph)/**', 'src/protocol'], 'the graph knows nobody'],
  ['src/ml/architectures', ['src/ml/!(graph|architectures)/**'], 'architectures build graphs and know nothing else'],
  [
    'src/ml/engine',
    ['src/ml/!(graph|engine)/**'],
    'an engine runs graphs; it knows neither data nor networks nor training',
  ],
  ['src/ml/data', ['src/ml/!(data)/**'], 'data knows nothing of networks'],
  ['src/ml/weights', ['src/ml/!(graph|weights)/**'], 'weights are tensors by name; they know the tensor type only'],
  [
    'src/ml/training',
    ['src/ml/engine/!(*.ts)/**', 'src/ml/cli', 'src/ml/worker'],
    'training knows engines through their interface',
  ],
  [
    'src/ml/inference',
    ['src/ml/engine/!(*.ts)/**', 'src/ml/cli', 'src/ml/worker', 'src/ml/training'],
    'inference knows engines through their interface',
  ],
];

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'runs', 'sample', 'test-results', '.vscode-test'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './src/webview/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    plugins: { 'import-x': importX },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] },
          ],
        },
      ],
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      'import-x/no-default-export': 'error',
      'import-x/no-restricted-paths': [
        'error',
        {
          zones: rooms.map(([target, from, message]) => ({
            target: `./${target}`,
            from: from.map((path) => `./${path}`),
            message,
          })),
        },
      ],
      'import-x/no-cycle': 'error',
      eqeqeq: ['error', 'always'],
      'no-restricted-imports': ['error', { paths: [] }],
    },
    settings: {
      'import-x/resolver': { node: { extensions: ['.ts', '.js'] } },
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
    },
  },
  {
    files: ['src/protocol/**', 'src/ml/**', 'src/webview/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { paths: [{ name: 'vscode', message: 'Only src/extension knows the editor.' }] },
      ],
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        fetch: 'readonly',
        Buffer: 'readonly',
      },
    },
  },
);
