import { shownClasses } from './description.ts';

/** In JavaScript, of each page beside an export: a file's pixels, and the list of what the chosen files show. */
export const pageParts = `
    /** What a JPEG says of its colors: how many channels they have, and which its profile is for, as 'RGB '. */
    function colorsOf(content) {
      const view = new DataView(content);
      const text = (at, length) => String.fromCharCode(...new Uint8Array(view.buffer, at, length));
      const has = (end) => end <= view.byteLength;
      let channels, profile;
      if (!has(2) || view.getUint16(0) !== 0xffd8) return {};
      for (let at = 2; has(at + 38) && view.getUint8(at) === 0xff; at += 2 + view.getUint16(at + 2)) {
        const marker = view.getUint8(at + 1);
        if (marker === 0xda) break;
        const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
        if (isFrame) channels = view.getUint8(at + 9);
        if (marker === 0xe2 && text(at + 4, 11) === 'ICC_PROFILE') profile ??= text(at + 34, 4);
      }
      return { channels, profile };
    }

    /**
     * The pixels of a file as the browser shows it, but for a profile that is for other colors than it has, and how many
     * channels a JPEG has. The file is read once.
     */
    async function imageOf(file) {
      const content = await file.arrayBuffer();
      const { channels, profile = 'none' } = colorsOf(content);
      const fits = profile === 'none' || profile === { 1: 'GRAY', 3: 'RGB ', 4: 'CMYK' }[channels];
      const shown = new Blob([content], { type: file.type });
      const bitmap = await createImageBitmap(shown, { colorSpaceConversion: fits ? 'default' : 'none' });
      const { width, height } = bitmap;
      const context = new OffscreenCanvas(width, height).getContext('2d');
      context.drawImage(bitmap, 0, 0);
      return { imageData: context.getImageData(0, 0, width, height), channels };
    }

    /** Lists what \`classify\` says of the files that are chosen, one after the other. */
    function listChosen(classify, labels) {
      document.querySelector('input').addEventListener('change', async ({ target }) => {
        const lines = [];
        for (const file of target.files) {
          try {
            const { probabilities, rejected, channels } = await classify(file);
            const best = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]).slice(0, ${shownClasses});
            const classes = best.map((index) => labels[index].name + ' ' + probabilities[index].toFixed(3));
            const note = channels === 4 ? ' (CMYK, whose colors browsers show otherwise than Fivecrop: save it as RGB)' : '';
            lines.push(file.name + ': ' + (rejected ? 'none of these; ' : '') + classes.join(', ') + note);
          } catch (error) {
            lines.push(file.name + ' is not classified: ' + error.message);
          }
          status.textContent = lines.join('\\n');
        }
      });
    }
`;
