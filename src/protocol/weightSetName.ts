/** Whether a text in the place of a file of weights is the name of a set that torchvision publishes: `IMAGENET1K_V2`. */
export function isWeightSet(text: string): boolean {
  return /^IMAGENET[0-9A-Z_]*$/u.test(text);
}
