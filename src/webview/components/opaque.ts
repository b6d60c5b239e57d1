/** A colour of the theme without its transparency: the editor's orange for charts has a third of its strength only. */
export function opaque(color: string): string {
  const hex = /^#(?:[\da-f]{3}(?=[\da-f]?$)|[\da-f]{6}(?=(?:[\da-f]{2})?$))/i.exec(color);
  const parts = /^rgba?\(\s*([\d.]+)[\s,]+([\d.]+)[\s,]+([\d.]+)/i.exec(color);
  return hex?.[0] ?? (parts ? `rgb(${parts.slice(1).join(', ')})` : color);
}
