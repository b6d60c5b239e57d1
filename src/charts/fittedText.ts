/** The text, or as much of its beginning as fits into `room` with an ellipsis; `widthOf` measures in the same unit. */
export function fitted(content: string, room: number, widthOf: (content: string) => number): string {
  if (widthOf(content) <= room) return content;
  const characters = Array.from(new Intl.Segmenter().segment(content), ({ segment }) => segment);
  while (characters.length > 1 && widthOf(`${characters.join('')}…`) > room) characters.pop();
  return `${characters.join('')}…`;
}
