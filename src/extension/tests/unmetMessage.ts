import * as l10n from '@vscode/l10n';
import { basename } from 'node:path';
import * as z from 'zod';
import type { CheckedExpectation } from '../../protocol/accuracyTests.ts';
import { path, text } from '../../protocol/bounded.ts';
import { splitNames } from '../../protocol/dataReport.ts';
import { cropCountSchema } from '../../protocol/serviceProtocol.ts';
import { imageCount } from '../counts.ts';
import type { TestOfCheckpoint } from '../parts.ts';
import { inMarkdown } from '../plainText.ts';

/** A test that was made, of so many images. */
export interface MadeTest extends TestOfCheckpoint {
  readonly images: number;
}

/** What the link of a message asks to be shown: the results of a test, and the images behind an expectation by their key. */
export const expectedImagesSchema = z.object({
  checkpoint: path(),
  data: path(),
  split: z.enum(splitNames),
  crops: cropCountSchema,
  key: text(100),
});
export type ExpectedImages = z.infer<typeof expectedImagesSchema>;

/** The command that the link runs. */
export const showExpectedImages = 'fivecrop.showExpectedImages';

/** What is said of an expectation that is not met, as Markdown with a link to its images. */
export function unmetMessage({ expected, found, images }: CheckedExpectation, test: MadeTest, key: string): string {
  const { checkpoint, data, split, crops } = test;
  const crop = crops === 5 ? l10n.t('five crops') : l10n.t('one crop');
  const said = l10n.t('Expected {0}; found {1}.', inMarkdown(expected), inMarkdown(found));
  const of = l10n.t(
    'Tested on {0} of {1} ({2}, {3}).',
    imageCount(test.images),
    inMarkdown(basename(data)),
    split,
    crop,
  );
  if (images.length === 0) return `${said} ${of}`;
  const shown: ExpectedImages = { checkpoint, data, split, crops, key };
  const link = `command:${showExpectedImages}?${encodeURIComponent(JSON.stringify([shown]))}`;
  const title = images.length === 1 ? l10n.t('Show the image') : l10n.t('Show the {0} images', images.length);
  // Parentheses would end the link, and are left as they are by encodeURIComponent.
  return `${said} ${of}\n\n[${title}](${link.replaceAll('(', '%28').replaceAll(')', '%29')})`;
}
