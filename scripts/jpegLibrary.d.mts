/** The name of libjpeg-turbo's library for a processor of Linux. */
export function jpegLibraryName(processor: string): string;

/** Copies libjpeg-turbo's libraries for Linux into `folder`, by default the build's, unless they are there. */
export function copyJpegLibraries(folder?: string): void;

/** The files that the libraries are copies of, relative to the project: their licence goes with the build. */
export function jpegLibrarySources(): string[];
