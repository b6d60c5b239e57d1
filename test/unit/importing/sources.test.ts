import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { deflateSync } from 'node:zlib';
import { readClassList, readClassNumbers } from '../../../src/ml/data/classList.ts';
import { classesByNumber } from '../../../src/ml/importing/classesByNumber.ts';
import { classFolders } from '../../../src/ml/importing/classFolders.ts';
import { innermostFolder } from '../../../src/ml/importing/folderImages.ts';
import type { FoundImages } from '../../../src/ml/importing/labelledImage.ts';
import { readMatFile } from '../../../src/ml/importing/matFile.ts';
import { imagesOfFolder, imagesOfTable } from '../../../src/ml/importing/sourceImages.ts';
import { splitOfFolder } from '../../../src/protocol/splitFolders.ts';
import { temporaryFolder, writeFiles } from '../data/temporaryImages.ts';

async function folderOf(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const root = await temporaryFolder(t);
  for (const [path, content] of Object.entries(files)) await writeFiles(root, [path], content);
  return root;
}

/** Split, class and file of each image, and what was left out. */
function told(root: string, { images, left }: FoundImages) {
  const lines = images.map(({ file, label, split }) => `${split ?? '-'} ${label} ${file.slice(root.length + 1)}`);
  return { images: lines.sort(), left: Object.fromEntries(left.map(({ reason, files }) => [reason, files.join(' ')])) };
}

const three = { 'a.jpg': 'a', 'b.jpg': 'b', 'in/c.png': 'c' };
const labelled = { images: ['- cat a.jpg', '- cat in/c.png', '- dog b.jpg'], left: {} };

test('a table says file and label in every usual way of writing it', async (t) => {
  const tables = {
    'labels.csv': 'file,label\na.jpg,cat\nb.jpg,dog\nin/c.png,cat\n',
    'labels.tsv': 'Label\tFile Name\r\ncat\ta.jpg\r\ndog\tb.jpg\r\ncat\tin\\c.png\r\n',
    'semicolons.csv': '\uFEFFid;category\na.jpg;cat\n"b.jpg";dog\n./in/c.png;"cat"\n',
    'bare.csv': 'a.jpg,cat\nb.jpg,dog\nin/c.png,cat\n',
    'list.json': '[{"image":"a.jpg","class":"cat"},{"class":"dog","image":"b.jpg"},{"image":"in/c.png","class":"cat"}]',
    'lines.jsonl':
      '{"file_name":"a.jpg","label":"cat"}\n\n{"file_name":"b.jpg","label":"dog"}\n{"file_name":"in/c.png","label":"cat"}\n',
    'stems.csv': 'id,breed\na,cat\nb,dog\nin/c,cat\n',
  };
  const root = await folderOf(t, { ...three, ...tables });
  for (const name of Object.keys(tables)) {
    const options = name === 'stems.csv' ? { labelColumn: 'breed' } : {};
    assert.deepEqual(told(root, await imagesOfTable(join(root, name), options)), labelled, name);
  }
});

test('what a table names and is not there, has no label or two is left out and named', async (t) => {
  const rows = 'a.jpg,cat\na.jpg,cat\nb.jpg,dog\nb.jpg,cat\nin/c.png,\ngone.jpg,dog\nno.jpg,dog\n';
  const root = await folderOf(t, { ...three, 'labels.csv': `file,label\n${rows}` });
  assert.deepEqual(told(root, await imagesOfTable(join(root, 'labels.csv'), {})), {
    images: ['- cat a.jpg'],
    left: { 'no label': 'in/c.png', 'not there': 'gone.jpg no.jpg', 'several labels': 'b.jpg' },
  });
});

test('a table whose files lie elsewhere, or that has other columns, is refused with what to do', async (t) => {
  const root = await folderOf(t, {
    ...three,
    'in/up.csv': 'file,label\n../a.jpg,cat\n',
    'in/absolute.csv': 'file,label\n/etc/a.jpg,cat\n',
    'columns.csv': 'picture,label\na.jpg,cat\n',
    'unlabelled.csv': 'file,width\na.jpg,3\n',
    'gone.csv': 'file,label\nx.jpg,cat\n',
    'empty.csv': '\n\n',
    'binary.csv': 'file,label\na\0.jpg,cat\n',
  });
  const cases = [
    ['in/up.csv', /Row 2 of .*up\.csv names \.\.\/a\.jpg, which is outside .*in: name a folder .* with --images/],
    ['in/absolute.csv', /names \/etc\/a\.jpg, which is outside/],
    ['columns.csv', /no column that is known for its files \(it has picture, label\): name it with --file-column/],
    ['unlabelled.csv', /no column that is known for its labels \(it has file, width\): name it with --label-column/],
    ['columns.csv', /columns\.csv has no column breed \(it has picture, label\)/, { labelColumn: 'breed' }],
    ['empty.csv', /empty\.csv has no rows/],
    ['binary.csv', /binary\.csv holds no table: give CSV/],
    ['gone.csv', /None of the files .* 1 file: not there \(x\.jpg\)\. --images names their folder/],
  ] as const;
  for (const [name, why, options = {}] of cases) await assert.rejects(imagesOfTable(join(root, name), options), why);
  // Paths are relative to the folder that --images names.
  await assert.rejects(imagesOfTable(join(root, 'in/up.csv'), { images: root }), /which is outside/);
});

test('numbers are looked up in a list of classes, and a column says the splits', async (t) => {
  const root = await folderOf(t, {
    ...three,
    'labels.csv': 'file,label,split\na.jpg,0,train\nb.jpg,1,Validation\nin/c.png,7,test\n',
    'classes.txt': 'cat\ndog\n',
    'classes.json': '{"1":"dog","0":"cat"}',
    'gaps.json': '{"0":"cat","2":"dog"}',
  });
  for (const name of ['classes.txt', 'classes.json']) {
    const classes = await readClassList(join(root, name));
    assert.deepEqual(told(root, await imagesOfTable(join(root, 'labels.csv'), { classes })), {
      images: ['train cat a.jpg', 'valid dog b.jpg'],
      left: { 'a label that is not in the list of classes': 'in/c.png' },
    });
  }
  for (const read of [readClassList, readClassNumbers]) {
    await assert.rejects(read(join(root, 'gaps.json')), /names no class 1/);
  }
  await writeFiles(root, ['class_to_idx.json'], '{"dog":1,"cat":0}');
  assert.deepEqual(await readClassList(join(root, 'class_to_idx.json')), ['cat', 'dog']);
});

test('folders that are numbers are named by a list of classes, whichever number it begins with', async (t) => {
  const root = await folderOf(t, {
    'train/1/a.jpg': '',
    'train/2/b.jpg': '',
    'val/1/c.jpg': '',
    'val/cat/d.jpg': '',
    'train/9/e.jpg': '',
  });
  const lists = await folderOf(t, {
    'zero.json': '{"0":"fish","1":"cat","2":"dog"}',
    'one.json': '{"1":"cat","2":"dog"}',
    'same.txt': 'fish\ncat\ncat\n',
    'others.txt': 'fish\nbird\n',
  });
  const named = async (name: string, folder = root) =>
    imagesOfFolder(folder, { layout: 'auto', classes: await readClassNumbers(join(lists, name)) });
  for (const name of ['zero.json', 'one.json']) {
    assert.deepEqual(told(root, await named(name)), {
      images: [
        'train cat train/1/a.jpg',
        'train dog train/2/b.jpg',
        'valid cat val/1/c.jpg',
        'valid cat val/cat/d.jpg',
      ],
      left: { 'a label that is not in the list of classes': 'train/9/e.jpg' },
    });
  }
  await assert.rejects(named('same.txt'), /calls both 1 and 2 of .* cat: give each a name of its own/);
  const words = await folderOf(t, { 'cat/a.jpg': '', 'dog/b.jpg': '' });
  await assert.rejects(named('others.txt', words), /are neither numbers of its list nor names in it \(cat, dog\)/);
  assert.equal((await named('zero.json', words)).images.length, 2);
});

test('labels that count from 1 to the number of names begin with the first name, which is said', async (t) => {
  const root = await folderOf(t, {
    'train.csv': 'file,label\na.jpg,1\nb.jpg,2\n',
    'test.csv': 'file,label\nin/c.png,3\n',
    ...three,
  });
  const { notes, ...found } = await imagesOfFolder(root, { layout: 'auto', classes: ['cat', 'dog', 'fox'] });
  assert.deepEqual(told(root, { ...found, notes }).images, ['test fox in/c.png', 'train cat a.jpg', 'train dog b.jpg']);
  assert.match(notes.join(' '), /Labels count from 1, so 1 is cat and 3 is fox\./);
  const more = await imagesOfFolder(root, { layout: 'auto', classes: ['none', 'cat', 'dog', 'fox', 'owl'] });
  assert.deepEqual(told(root, more).images, ['test fox in/c.png', 'train cat a.jpg', 'train dog b.jpg']);
  assert.match(more.notes.join(' '), /No label is 0, with which the list begins: 1 is cat\./);
});

test('a list of classes is asked for any number of labels', () => {
  const images = Array.from({ length: 300_000 }, (_, at) => ({
    file: `/w/${at}.jpg`,
    label: String(at),
    split: undefined,
  }));
  const { images: named, notes } = classesByNumber({ images, left: [], notes: [] }, ['cat', 'dog'], { source: 'x.csv', root: '/w' }); // prettier-ignore
  assert.deepEqual([named.map(({ label }) => label), notes], [['cat', 'dog'], []]);
});

test('a list of classes that changes nothing is said to', () => {
  const told = (...labels: string[]) => {
    const images = labels.map((label) => ({ file: `/w/${label}.jpg`, label, split: undefined }));
    const found = { images, left: [], notes: [] };
    return classesByNumber(found, ['cat', 'dog', 'fox'], { source: 'x.csv', root: '/w' }).notes;
  };
  assert.deepEqual(told('cat', 'dog'), ['The list of classes changes nothing here: every label is one of its names already.']); // prettier-ignore
  assert.deepEqual([told('dog', '0'), told('cat', 'owl')], [[], []]);
});

test('an option that a source has no use for is refused', async (t) => {
  const coco = JSON.stringify({ images: [], annotations: [], categories: [] });
  const root = await folderOf(t, { 'cat/a.jpg': '', 'dog/b.jpg': '', 'notes/coco.json': coco });
  const cases = [
    [{ layout: 'auto', labelColumn: 'breed' }, /--label-column has no use here, as .* has no table with such a column/],
    [{ layout: 'auto', images: root }, /--images has no use here, as the folders of/],
    [
      { layout: 'classes', splitColumn: 'set' },
      /--split-column has no use here, as --layout classes goes by the folders/,
    ],
  ] as const;
  for (const [options, why] of cases) await assert.rejects(imagesOfFolder(root, options), why);
  const file = join(root, 'notes/coco.json');
  await assert.rejects(imagesOfTable(file, { fileColumn: 'id' }), /--file-column has no use here, as .* COCO’s format/);
});

test('COCO’s images have the category of their objects, if it is one', async (t) => {
  const coco = {
    images: ['a.jpg', 'b.jpg', 'in/c.png', 'gone.jpg'].map((file_name, id) => ({ id, file_name })),
    annotations: [
      [0, 5],
      [0, 5],
      [1, 9],
      [1, 5],
      [3, 9],
    ].map(([image_id, category_id]) => ({ image_id, category_id })),
    categories: [
      { id: 5, name: 'cat' },
      { id: 9, name: 'dog' },
    ],
  };
  const root = await folderOf(t, { 'annotations/instances_val.json': JSON.stringify(coco), 'val/a.jpg': '', 'val/b.jpg': '', 'val/in/c.png': '' }); // prettier-ignore
  assert.deepEqual(told(root, await imagesOfFolder(root, { layout: 'auto' })), {
    images: ['- cat val/a.jpg'],
    left: { 'several categories': 'b.jpg', 'no category': 'in/c.png', 'not there': 'gone.jpg' },
  });
});

test('the hub’s folders are read by their metadata, others by their names', async (t) => {
  const hub = await folderOf(t, {
    'train/metadata.csv': 'file_name,label\n1.jpg,cat\n2.jpg,dog\n',
    'test/metadata.jsonl': '{"file_name":"3.jpg","label":"dog"}\n',
    'train/1.jpg': '',
    'train/2.jpg': '',
    'test/3.jpg': '',
  });
  assert.deepEqual(told(hub, await imagesOfFolder(hub, { layout: 'auto' })).images, [
    'test dog test/3.jpg',
    'train cat train/1.jpg',
    'train dog train/2.jpg',
  ]);
  const atRoot = await folderOf(t, {
    'metadata.csv': 'file_name,label\ntrain/1.jpg,cat\ntest/2.jpg,dog\n',
    'train/1.jpg': '',
    'test/2.jpg': '',
  });
  assert.deepEqual(told(atRoot, await imagesOfFolder(atRoot, { layout: 'auto' })).images, [
    'test dog test/2.jpg',
    'train cat train/1.jpg',
  ]);
  const captions = { 'metadata.csv': 'file_name,text\ntrain/cat/1.jpg,hello\n' };
  const keras = await folderOf(t, { 'train/cat/1.jpg': '', 'train/dog/2.jpg': '', 'validation/cat/3.jpg': '', ...captions }); // prettier-ignore
  const read = await imagesOfFolder(keras, { layout: 'auto' });
  assert.deepEqual(told(keras, read).images, [
    'train cat train/cat/1.jpg',
    'train dog train/dog/2.jpg',
    'valid cat validation/cat/3.jpg',
  ]);
  assert.match(read.notes.join(' '), /metadata\.csv has no columns of files and labels/);
  await writeFiles(keras, ['labels.csv'], 'file,label\ngone.jpg,cat\n');
  await assert.rejects(
    imagesOfFolder(keras, { layout: 'auto' }),
    /not there \(gone\.jpg\).* give --layout classes or splits/,
  );
  assert.equal((await imagesOfFolder(keras, { layout: 'splits' })).images.length, 3);
});

test('a folder that holds one folder is that folder, unless it is a split', async (t) => {
  const nested = await folderOf(t, { 'README.md': '', 'a/b/cat/1.jpg': '', 'a/b/dog/1.jpg': '', '.DS_Store': '' });
  assert.equal(await innermostFolder(nested), join(nested, 'a', 'b'));
  const split = await folderOf(t, { 'data/train/cat/1.jpg': '', 'data/train/dog/1.jpg': '' });
  assert.equal(await innermostFolder(split), join(split, 'data'));
  const table = await folderOf(t, { 'labels.csv': '', 'images/1.jpg': '' });
  assert.equal(await innermostFolder(table), table);
  const numbered = await folderOf(t, { 'imagelabels.mat': '', 'jpg/image_00001.jpg': '' });
  assert.equal(await innermostFolder(numbered), numbered);
  const folders = await folderOf(t, {
    'imagelabels.mat': '',
    'flowers/rose/image_00001.jpg': '',
    'flowers/aster/1.jpg': '',
  });
  assert.equal(await innermostFolder(folders), join(folders, 'flowers'));
});

test('each class has a folder of its own that every disk can hold', () => {
  const labels = ['cat', 'Cat', 'a/b', 'a\\b', '..', 'CON', 'nul.x', '.hidden', 'train', 'x'.repeat(400), '  ', 'ü?'];
  const folders = classFolders(labels);
  const names = [...folders.values()];
  assert.equal(new Set(names.map((name) => name.normalize('NFC').toLowerCase())).size, labels.length);
  for (const name of names) {
    assert.doesNotMatch(name, /[<>:"/\\|?*]|^\.|[ .]$|^$/u);
    assert.doesNotMatch(name, /^(?:con|nul)(?:\.|$)/iu);
    assert.ok(Buffer.byteLength(name) < 255);
    assert.equal(splitOfFolder(name), undefined);
  }
  assert.equal(folders.get('cat') === 'cat' || folders.get('Cat') === 'Cat', true);
});

async function flowersFolder(t: TestContext, labels: string, splits?: string): Promise<string> {
  const saved = JSON.parse(await readFile(join(import.meta.dirname, '../../fixtures/scipy_mat.json'), 'utf8')) as Record<string, string>; // prettier-ignore
  const names = [1, 2, 3, 5, 6, 7].map((number) => `jpg/image_0000${number}.jpg`);
  const root = await folderOf(t, Object.fromEntries(names.map((name) => [name, name])));
  await writeFile(join(root, 'imagelabels.mat'), Buffer.from(saved[labels] ?? '', 'base64'));
  if (splits !== undefined) await writeFile(join(root, 'setid.mat'), Buffer.from(saved[splits] ?? '', 'base64'));
  return root;
}

const ofFolder = (root: string) => imagesOfFolder(root, { layout: 'auto' });

for (const kind of ['', ' compressed']) {
  test(`the Oxford flowers' own files say classes and splits${kind}`, async (t) => {
    const root = await flowersFolder(t, `imagelabels${kind}`, `setid${kind}`);
    assert.deepEqual(told(root, await ofFolder(root)), {
      images: ['test 77 jpg/image_00003.jpg', 'train 102 jpg/image_00006.jpg', 'train 77 jpg/image_00001.jpg', 'valid 3 jpg/image_00002.jpg'], // prettier-ignore
      left: {
        'in no split of setid.mat': 'image_00005.jpg',
        'not one of the 6 images that imagelabels.mat numbers': 'image_00007.jpg',
        'not there': 'image_00004.jpg',
      },
    });
  });
}

test('the Oxford flowers without splits have none, whatever else is in the file of labels', async (t) => {
  const root = await flowersFolder(t, 'imagelabels among others');
  assert.deepEqual(told(root, await ofFolder(root)).images, ['- 102 jpg/image_00006.jpg', '- 3 jpg/image_00002.jpg', '- 3 jpg/image_00005.jpg', '- 77 jpg/image_00001.jpg', '- 77 jpg/image_00003.jpg']); // prettier-ignore
});

test('files of labels and splits that do not fit each other, or are damaged, are refused', async (t) => {
  await assert.rejects(ofFolder(await flowersFolder(t, 'imagelabels', 'setid of 7')), /has the image 7 in “trnid”, and imagelabels\.mat numbers 1 to 6/); // prettier-ignore
  await assert.rejects(ofFolder(await flowersFolder(t, 'imagelabels', 'setid twice')), /has the image 1 in train and test: an image is in one split/); // prettier-ignore
  await assert.rejects(ofFolder(await flowersFolder(t, 'setid')), /has no list “labels” of whole numbers/);
  const root = await flowersFolder(t, 'imagelabels compressed');
  const file = join(root, 'imagelabels.mat');
  const content = await readFile(file);
  for (let bytes = 1; bytes < content.length; bytes += 5) {
    await writeFile(file, content.subarray(0, bytes));
    await assert.rejects(ofFolder(root), { name: 'UserError' }, `${bytes} bytes`);
  }
});

test('a file of labels beside class folders, or beside a table of labels, changes nothing', async (t) => {
  const root = await folderOf(t, {
    'cat/a.jpg': 'a',
    'dog/image_00001.jpg': 'b',
    'imagelabels.mat': 'of something else',
  });
  assert.deepEqual(told(root, await ofFolder(root)).images, ['- cat cat/a.jpg', '- dog dog/image_00001.jpg']);
  const flowers = await flowersFolder(t, 'imagelabels');
  await writeFile(join(flowers, 'labels.csv'), 'file,label\njpg/image_00001.jpg,cat\njpg/image_00002.jpg,dog\n');
  assert.deepEqual(told(flowers, await ofFolder(flowers)).images, ['- cat jpg/image_00001.jpg', '- dog jpg/image_00002.jpg']); // prettier-ignore
});

test('what is far larger than its file is refused together, not only one by one', async (t) => {
  const element = (type: number, data: Buffer) => {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(type, 0);
    head.writeUInt32LE(data.length, 4);
    return Buffer.concat([head, data]);
  };
  // Text, which is passed over.
  const flags = Buffer.from([4, 0, 0, 0, 0, 0, 0, 0]);
  const parts = [element(6, flags), element(5, Buffer.alloc(8)), element(1, Buffer.from('a text  ')), element(2, Buffer.alloc(5 * 2 ** 20))]; // prettier-ignore
  const list = element(15, deflateSync(element(14, Buffer.concat(parts)), { level: 1 }));
  const root = await flowersFolder(t, 'imagelabels');
  const file = join(root, 'imagelabels.mat');
  const header = (await readFile(file)).subarray(0, 128);
  await writeFile(file, Buffer.concat([header, list]));
  assert.deepEqual([...(await readMatFile(file))], []);
  await writeFile(file, Buffer.concat([header, list, list]));
  await assert.rejects(readMatFile(file), /is a damaged MATLAB file/);
});
