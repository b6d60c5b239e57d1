/** An SVG picture of a size in pixels as PNG, base64, drawn `scale` times as fine. */
export async function pngPicture(svgText: string, width: number, height: number, scale: number): Promise<string> {
  const url = URL.createObjectURL(new Blob([svgText], { type: 'image/svg+xml' }));
  try {
    const image = new Image(width, height);
    image.src = url;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = width * scale;
    canvas.height = height * scale;
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('This page has no canvas to draw the picture on.');
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL('image/png').replace('data:image/png;base64,', '');
  } finally {
    URL.revokeObjectURL(url);
  }
}
