import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library';
import { PackageURL } from 'packageurl-js';
import { packageFolders } from './licences.mjs';

/** Code of others inside packages, as far as those say what it is. */
const inside = {
  '@julusian/jpeg-turbo': () => [{ name: 'libjpeg-turbo', licence: 'IJG AND BSD-3-Clause' }],
  '@cornerstonejs/codec-libjpeg-turbo-8bit': () => [{ name: 'libjpeg-turbo', licence: 'IJG AND BSD-3-Clause' }],
};

/**
 * Adds the packages that files come from to the bill of materials in `target`, which is made where it is missing: CycloneDX,
 * the same for the same packages. `files` are paths relative to `root`, as esbuild's metafile has them.
 */
export function addToSbom(target, root, files) {
  const found = packageFolders(files).map((folder) => componentOf(join(root, folder)));
  const known = existsSync(target) ? JSON.parse(readFileSync(target, 'utf8')).components.map(readAgain) : [];
  const all = new Map([...known, ...found].map((component) => [component.bomRef.value, component]));
  const { name, version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const product = new Models.Component(Enums.ComponentType.Application, name, {
    version,
    bomRef: `${name}@${version}`,
  });
  product.licenses.add(licenceOf(license));
  const bom = new Models.Bom({ metadata: new Models.Metadata({ component: product }) });
  for (const component of all.values()) bom.components.add(component);
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  writeFileSync(target, `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`);
}

function componentOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return component(name, version, license, [...(inside[name]?.() ?? []), ...librariesIn(folder)]);
}

/** The libraries that sharp's binary is linked from. */
function librariesIn(folder) {
  const file = join(folder, 'versions.json');
  if (!existsSync(file)) return [];
  return Object.entries(JSON.parse(readFileSync(file, 'utf8'))).map(([name, version]) => ({ name, version }));
}

function component(name, version, licence, parts) {
  const made = new Models.Component(Enums.ComponentType.Library, name, {
    version,
    bomRef: `${name}@${version}`,
    purl: purlOf(name, version),
  });
  if (licence !== undefined) made.licenses.add(licenceOf(licence));
  for (const part of parts) {
    const { name: inner, version: of, licence: under } = part;
    const nested = new Models.Component(Enums.ComponentType.Library, inner, {
      ...(of === undefined ? {} : { version: of }),
      bomRef: `${name}@${version}/${inner}`,
    });
    if (under !== undefined) nested.licenses.add(licenceOf(under));
    made.components.add(nested);
  }
  return made;
}

/** A component of the file that an earlier call wrote. */
function readAgain({ name: bare, group, version, licenses = [], components = [] }) {
  const [licence] = licenses;
  const name = group === undefined ? bare : `${group}/${bare}`;
  const parts = components.map((part) => ({
    name: part.name,
    ...(part.version === undefined ? {} : { version: part.version }),
    ...(part.licenses === undefined ? {} : { licence: textOf(part.licenses[0]) }),
  }));
  return component(name, version, licence === undefined ? undefined : textOf(licence), parts);
}

function textOf({ expression, license }) {
  return expression ?? license.id ?? license.name;
}

/** An SPDX expression where it is one, which every package of ours has, else a name. */
function licenceOf(licence) {
  const isExpression = /^[\w.+-]+(?: (?:AND|OR|WITH) [\w.+-]+)*$/.test(licence.replace(/[()]/g, ''));
  return isExpression ? new Models.LicenseExpression(licence) : new Models.NamedLicense(licence);
}

function purlOf(name, version) {
  const [scope, own] = name.startsWith('@') ? name.split('/') : [undefined, name];
  return new PackageURL('npm', scope, own, version, undefined, undefined).toString();
}
