import * as l10n from '@vscode/l10n';
import { element } from '../components/element.ts';
import { button } from '../components/toolkit.ts';

export type Camera = {
  element: HTMLElement;
  /** Shows what the camera sees, or a sentence where the editor lets pages have none. */
  open: () => Promise<void>;
};

/** A camera's picture and a button that takes it as a JPEG. */
export function camera(onTaken: (picture: Blob) => void): Camera {
  const video = element('video', { autoplay: true, playsinline: true, 'aria-label': l10n.t('What the camera sees') });
  video.muted = true;
  const problem = element('p', { class: 'error-text', role: 'alert' });
  let stream: MediaStream | undefined;
  const close = (): void => {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = undefined;
    video.srcObject = null;
    place.hidden = true;
  };
  const take = (): void => {
    const canvas = element('canvas', { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext('2d')?.drawImage(video, 0, 0);
    canvas.toBlob((picture) => picture && onTaken(picture), 'image/jpeg', 0.95);
  };
  const shutter = button({ label: l10n.t('Take this picture'), primary: true, onClick: take });
  const place = element('section', { class: 'camera', 'aria-label': l10n.t('Camera') }, [
    video,
    problem,
    element('div', { class: 'toolbar' }, [shutter, button({ label: l10n.t('Close'), onClick: close })]),
  ]);
  place.hidden = true;
  return {
    element: place,
    open: async () => {
      close();
      problem.textContent = '';
      try {
        stream = await openCamera();
        video.srcObject = stream;
      } catch (error) {
        problem.textContent = whyNot(error);
      }
      video.hidden = shutter.hidden = stream === undefined;
      place.hidden = false;
    },
  };
}

function openCamera(): Promise<MediaStream> {
  // Pages without a secure origin have no such object, whatever its type says.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (!devices) throw new DOMException('', 'NotAllowedError');
  return devices.getUserMedia({ video: { width: { ideal: 1280 }, height: { ideal: 960 } } });
}

function whyNot(error: unknown): string {
  const name = error instanceof DOMException ? error.name : String(error);
  if (name === 'NotFoundError') return l10n.t('There is no camera on this machine.');
  if (name === 'NotReadableError') return l10n.t('Another program uses the camera; close it and try again.');
  if (name === 'NotAllowedError') {
    return l10n.t('This editor does not let its pages use the camera. Take the picture with another program, then drop or paste it here.'); // prettier-ignore
  }
  return l10n.t('The camera cannot be used ({0}).', name);
}
