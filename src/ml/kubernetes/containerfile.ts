/** The image of a pod that trains, for `podman build` or `docker build` in the folder that has the package of the command. */
export function containerfile(version: string, withCuda: boolean): string {
  const archive = `fivecrop-${version}.tgz`;
  return [
    `# npm run package:library writes ${archive} into dist.`,
    'FROM docker.io/library/node:22-slim',
    `COPY ${archive} /tmp/`,
    `RUN npm install --global --omit=dev /tmp/${archive} && rm /tmp/${archive} && npm cache clean --force`,
    ...(withCuda
      ? [
          'LABEL fivecrop.device=cuda',
          '# NVIDIA’s container toolkit adds the driver and nvidia-smi. CUDA’s libraries, 2 GB, lie in the volume: see README.md.',
          'ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility',
        ]
      : ['LABEL fivecrop.device=cpu']),
    'USER node',
    'WORKDIR /volume',
    '',
  ].join('\n');
}
