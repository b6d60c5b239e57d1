import type { Page } from 'playwright-core';

/** What text needs at least (WCAG 2, level AA). */
const least = 4.5;

/** The texts of a page that have too little contrast with what they stand on, each with its contrast. */
export async function faintTexts(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`(${findFaintTexts})(${least})`);
}

/** What runs in the page. */
const findFaintTexts = `
function findFaintTexts(least) {
  const parse = (color) => {
    const parts = color.match(/[\\d.]+/g).map(Number);
    // color-mix() computes to color(srgb r g b / a), with parts from 0 to 1.
    const scale = color.startsWith('color(') ? 255 : 1;
    const [red, green, blue, alpha = 1] = parts;
    return [red * scale, green * scale, blue * scale, alpha];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((part, at) => part * a + under[at] * (1 - a));
  const luminance = (color) => {
    const [r, g, b] = color.map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const parentOf = (element) => element.assignedSlot ?? element.parentElement ?? element.getRootNode().host;
  const ancestors = (element) => (element ? [element, ...ancestors(parentOf(element))] : []);
  const faint = [];
  const look = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node.shadowRoot) look(node.shadowRoot);
      if (node.nodeType !== Node.TEXT_NODE || node.data.trim() === '') continue;
      const element = node.parentElement ?? node.getRootNode().host;
      const chain = ancestors(element);
      const hidden = chain.some((one) => one.matches('style, [disabled], .spoken') || one.hidden);
      if (hidden || !element.checkVisibility({ checkVisibilityCSS: true })) continue;
      const styles = chain.map((one) => getComputedStyle(one));
      const background = styles.reduceRight(
        (under, style) => over(parse(style.backgroundColor), under),
        [255, 255, 255],
      );
      const [r, g, b, a] = parse(styles[0].color);
      const opacity = styles.reduce((all, style) => all * Number(style.opacity), 1);
      const text = over([r, g, b, a * opacity], background);
      const [dark, light] = [luminance(text), luminance(background)].sort((x, y) => x - y);
      const contrast = (light + 0.05) / (dark + 0.05);
      if (contrast < least)
        faint.push(
          \`\${contrast.toFixed(2)}: \${element.localName}.\${element.className} "\${node.data.trim().slice(0, 40)}"\`,
        );
    }
  };
  look(document.body);
  return [...new Set(faint)];
}`;
