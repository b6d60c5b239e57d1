import eslint from '@eslint/js';
import { importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** What every room of ml that reads files may import from. */
const base = ['protocol', 'runs', 'ml/graph', 'ml/cache', 'ml/native'];
/** What makes, changes and lowers graphs. */
const graphs = ['ml/graph', 'ml/operators', 'ml/passes', 'ml/onnx', 'ml/lowering'];
/** Networks, and what they need to run: an engine, images, weights. */
const networks = ['ml/networks', 'ml/engine', 'ml/data', 'ml/weights'];

/** The arrows of the architecture: each room, and the only other rooms that it may import from. */
const arrows = {
  protocol: [],
  runs: ['protocol'],
  agents: ['protocol', 'runs'],
  extension: ['protocol', 'runs', 'agents'],
  charts: ['protocol'],
  webview: ['protocol', 'charts'],
  'ml/graph': [],
  'ml/onnx': [],
  'ml/lowering': ['ml/graph', 'ml/onnx'],
  'ml/operators': ['ml/graph', 'ml/lowering'],
  'ml/passes': ['ml/graph', 'ml/operators'],
  'ml/networks': ['ml/graph', 'ml/operators', 'protocol'],
  'ml/cache': ['protocol'],
  'ml/native': [],
  'ml/engine': [...graphs, 'ml/cache', 'ml/native', 'protocol'],
  'ml/data': base,
  'ml/archives': ['protocol', 'runs'],
  'ml/importing': [...base, 'ml/archives', 'ml/data'],
  'ml/evaluation': ['protocol'],
  'ml/weights': [...base, 'ml/networks'],
  'ml/webhook': ['protocol', 'ml/weights'],
  'ml/install': ['protocol', 'runs', 'ml/archives', 'ml/cache', 'ml/engine', 'ml/weights'],
  'ml/inference': ['protocol', 'runs', ...graphs, 'ml/cache', ...networks, 'ml/evaluation'],
  'ml/features': [...base, 'ml/operators', 'ml/passes', ...networks, 'ml/evaluation', 'ml/inference'],
  'ml/cleaning': [...base, ...networks, 'ml/evaluation', 'ml/inference', 'ml/features'],
  'ml/training': ['protocol', 'runs', ...graphs, 'ml/cache', ...networks, 'ml/inference', 'ml/webhook'],
  'ml/export': ['protocol', 'runs', ...graphs, ...networks, 'ml/inference'],
  'ml/sweep': ['protocol', 'ml/graph'],
  'ml/kubernetes': [],
  'ml/submit': ['protocol', 'runs', 'ml/cache', 'ml/engine', 'ml/weights', 'ml/training'],
  'ml/results': ['protocol', 'runs', 'charts', 'ml/data'],
  'ml/serve': ['protocol', 'ml/data', 'ml/inference', 'ml/results'],
  'ml/library': ['protocol', 'runs', 'ml'],
  'ml/trainer': ['protocol', 'runs', 'ml'],
  'ml/service': ['protocol', 'runs', 'ml'],
  'ml/mcp': ['protocol', 'runs', 'agents', 'ml'],
  'ml/cli': ['protocol', 'runs', 'charts', 'agents', 'ml'],
};

export default tseslint.config(
  {
    ignores: [
      'dist',
      'node_modules',
      'src/ml/data/kernels',
      'src/ml/engine/onnxruntime/kernels',
      'runs',
      'sample',
      'playground',
      'test-results',
      '.vscode-test',
    ],
  },
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
          zones: Object.entries(arrows).map(([room, allowed]) => ({
            target: `./src/${room}`,
            from: './src',
            except: [room, ...allowed].map((path) => `./${path}`),
            message: `src/${room} may import from: ${allowed.join(', ') || 'nobody'}`,
          })),
        },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ImportDeclaration[source.value="zod"] > ImportSpecifier[imported.name="z"]',
          message: 'Import * as z: with the object z all of zod is bundled, its messages in every language too.',
        },
        {
          selector: 'ImportDeclaration[source.value="@vscode/l10n"] > ImportSpecifier[imported.name="t"]',
          message: 'Import * as l10n: what writes the bundle finds l10n.t alone.',
        },
      ],
      eqeqeq: ['error', 'always'],
    },
    settings: {
      'import-x/resolver': { node: { extensions: ['.ts', '.js'] } },
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['src/protocol/**', 'src/runs/**', 'src/agents/**', 'src/charts/**', 'src/ml/**', 'src/webview/**'],
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
