/** What a server takes, so that no request can use up its memory or its time. */
export interface ServeLimits {
  /** Bytes of one image. */
  readonly imageBytes: number;
  /** Images of one request. */
  readonly images: number;
  /** Bytes of one request. */
  readonly requestBytes: number;
  /** Bytes of all requests that are being read or decoded. */
  readonly heldBytes: number;
  /** Images of all requests that wait or are being classified. */
  readonly waitingImages: number;
  /** Connections at a time. */
  readonly connections: number;
  /** Seconds in which the header of a request must have come. */
  readonly headerSeconds: number;
  /** Seconds in which a whole request must have come. */
  readonly requestSeconds: number;
  /** Seconds that what has been accepted has to end when the server stops. */
  readonly stopSeconds: number;
}

export interface LimitChoices {
  /** Megabytes (of 1,048,576 bytes) of one image. */
  readonly megabytes: number;
  readonly images: number;
  readonly waitingImages: number;
}

/** The limits that follow from what can be chosen. */
export function limitsOf({ megabytes, images, waitingImages }: LimitChoices): ServeLimits {
  const imageBytes = megabytes * 2 ** 20;
  const requestBytes = 4 * imageBytes;
  return {
    imageBytes,
    images,
    requestBytes,
    heldBytes: 2 * requestBytes,
    waitingImages,
    connections: 512,
    headerSeconds: 10,
    requestSeconds: 30,
    stopSeconds: 30,
  };
}
