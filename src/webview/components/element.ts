import { visible } from '../../protocol/visibleText.ts';

export type Child = Node | string | undefined;
export type Properties = Record<string, string | number | boolean | undefined | ((event: Event) => void)>;

const svgNamespace = 'http://www.w3.org/2000/svg';

/**
 * An element with attributes and children. Text is text, never markup, its hidden characters shown
 * as symbols. A function is a listener (`onclick`), `true` an empty attribute; `false`
 * and `undefined` leave the attribute out, except that `aria-*` keeps `false`.
 */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties = {},
  children: readonly Child[] = [],
): HTMLElementTagNameMap[Tag] {
  return fill(document.createElement(tag), properties, children);
}

/** The same for SVG. */
export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  properties: Properties = {},
  children: readonly Child[] = [],
): SVGElementTagNameMap[Tag] {
  return fill(document.createElementNS(svgNamespace, tag), properties, children);
}

/** A custom element, which has no type of its own here. */
export function customElement(tag: string, properties: Properties = {}, children: readonly Child[] = []): HTMLElement {
  return fill(document.createElement(tag), properties, children);
}

function fill<Made extends Element>(made: Made, properties: Properties, children: readonly Child[]): Made {
  for (const [name, value] of Object.entries(properties)) setProperty(made, name, value);
  made.append(
    ...children
      .filter((child) => child !== undefined)
      .map((child) => (typeof child === 'string' ? visible(child) : child)),
  );
  return made;
}

/** Attributes that people read or hear. */
const told: ReadonlySet<string> = new Set(['title', 'alt', 'aria-label']);

function setProperty(made: Element, name: string, value: Properties[string]): void {
  if (typeof value === 'function') made.addEventListener(name.slice('on'.length), value);
  else if (value === true && !name.startsWith('aria-')) made.setAttribute(name, '');
  else if (value !== undefined && (value !== false || name.startsWith('aria-'))) {
    made.setAttribute(name, told.has(name) ? visible(String(value)) : String(value));
  }
}

/** The element that the page is built into. */
export function rootElement(): HTMLElement {
  const root = document.getElementById('root');
  if (root === null) throw new Error('The page has no element with the id "root".');
  return root;
}
