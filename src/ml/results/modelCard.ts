import { count, fileName, percent } from '../../charts/format.ts';
import type { CheckpointMetadata } from '../../protocol/checkpointMetadata.ts';
import { temperatureFor } from '../../protocol/confidenceCalibration.ts';
import type { Evaluation } from '../../protocol/evaluation.ts';
import { evaluationMetrics } from '../../protocol/evaluationMetrics.ts';
import { networkName } from '../../protocol/networkName.ts';
import { cropsText } from './evaluationSection.ts';
import { markdownTable, plainMarkdown } from './markdown.ts';
import { methodWords } from './methodWords.ts';

/** What a card says of a model that timm loads. */
interface CardFacts {
  readonly metadata: CheckpointMetadata;
  /** Tests of the checkpoint as it is. */
  readonly evaluations: readonly Evaluation[];
}

/** Of thousands of classes a card shows the first. */
const mostListed = 200;

/**
 * The README.md of a model's folder as model hubs show it, in Markdown with a head in YAML: what the model is, how good it
 * was seen to be on which images, and how timm and transformers load it. Names no folder of this machine.
 */
export function modelCard({ metadata, evaluations }: CardFacts): string {
  const { classes, network, training, preprocessing } = metadata;
  const title = plainMarkdown(training.run) || 'Image classifier';
  const parts = [
    head(metadata.licence),
    `# ${title}`,
    `An image classifier of ${count(classes.length)} ${classes.length === 1 ? 'class' : 'classes'}: ${plainMarkdown(networkName(network))}, ${methodWords[training.method]}, trained on the folder ${plainMarkdown(fileName(training.data))} with Fivecrop, ${count(training.step)} steps.`,
    licenceSection(metadata.licence),
    '## Accuracy',
    accuracySection(metadata, evaluations),
    '## Use',
    usage(metadata),
    '## Images',
    `RGB, resized to ${preprocessing.resize} pixels (${preprocessing.fit === 'squash' ? 'both sides' : 'the short side'}, ${preprocessing.interpolation ?? 'bilinear'}, antialiased), cut to the central ${preprocessing.crop} x ${preprocessing.crop}, and normalized as \`config.json\` says.`,
    '## Classes',
    classList(metadata),
  ];
  return `${parts.filter((part) => part !== undefined).join('\n\n')}\n`;
}

/** Names of licences as the hub knows them. */
const hubLicences: ReadonlySet<string> = new Set(['apache-2.0', 'mit', 'bsd-3-clause', 'cc-by-4.0', 'cc-by-nc-4.0', 'cc0-1.0']); // prettier-ignore

function head(licence: string | undefined): string {
  const known = licence?.toLowerCase();
  const terms =
    known === undefined
      ? []
      : hubLicences.has(known)
        ? [`license: ${known}`]
        : ['license: other', `license_name: ${JSON.stringify(known)}`];
  return ['---', 'pipeline_tag: image-classification', 'library_name: timm', ...terms, 'tags:', '- image-classification', '- timm', '- transformers', '---'].join('\n'); // prettier-ignore
}

function licenceSection(licence: string | undefined): string | undefined {
  if (licence === undefined) return undefined;
  return `The weights that it started from are under the license ${plainMarkdown(licence)}; its terms apply to this model too.`;
}

function accuracySection({ metrics }: CheckpointMetadata, evaluations: readonly Evaluation[]): string {
  const rows = evaluations.map((evaluation) => {
    const { images, accuracy, split, data, selection } = evaluation;
    const { low, high } = evaluationMetrics(evaluation).accuracyInterval;
    const unknown = selection?.knowsTraining === true ? '' : ', of which it may have been trained on some';
    return [
      `${split} images of ${fileName(data)}, ${cropsText(evaluation)}${unknown}`,
      count(images),
      percent(accuracy),
      `${percent(low)} to ${percent(high)}`,
    ];
  });
  const { validAccuracy } = metrics;
  const validation =
    validAccuracy === undefined
      ? undefined
      : `On its validation images, which its run looked at while it trained, it had ${percent(validAccuracy)}.`;
  const tests =
    rows.length === 0
      ? 'It has not been tested on images that were kept apart.'
      : markdownTable(['Tested on', 'Images', 'Accuracy', '95 % interval'], rows);
  return validation === undefined ? tests : `${tests}\n\n${validation}`;
}

function usage({ calibration }: CheckpointMetadata): string {
  const temperature = temperatureFor(calibration, 1);
  const logits = temperature ? `logits / ${temperature.value.toPrecision(6)}` : 'logits';
  const note = temperature
    ? `\n\nConfidences were calibrated on ${count(temperature.images)} images: divide the logits by ${temperature.value.toPrecision(6)} before the softmax, which changes no prediction. Transformers does not.`
    : '';
  return `With [timm](https://github.com/huggingface/pytorch-image-models), in the folder that holds this one as \`model\`, or with \`hf-hub:OWNER/NAME\` for \`local-dir:model\`:

\`\`\`python
import timm, torch
from PIL import Image

model = timm.create_model("local-dir:model", pretrained=True).eval()
prepare = timm.data.create_transform(**timm.data.resolve_model_data_config(model), is_training=False)
with torch.inference_mode():
    logits = model(prepare(Image.open("image.jpg").convert("RGB"))[None])
probabilities = (${logits}).softmax(-1)[0]
best = int(probabilities.argmax())
print(model.pretrained_cfg["label_names"][best], float(probabilities[best]))
\`\`\`

With transformers and timm:

\`\`\`python
from transformers import pipeline

print(pipeline("image-classification", "./model")("image.jpg"))
\`\`\`${note}`;
}

function classList({ classes }: CheckpointMetadata): string {
  const lines = classes.slice(0, mostListed).map(({ index, name }) => `- ${index}: ${plainMarkdown(name)}`);
  const more = classes.length - lines.length;
  return [...lines, ...(more > 0 ? [`- ${count(more)} more, in \`config.json\``] : [])].join('\n');
}
