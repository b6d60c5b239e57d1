import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { classifyAnswerSchema, classifyQuerySchema, healthSchema, refusalSchema } from './answerSchemas.ts';
import type { ImageClassifier } from './imageClassifier.ts';
import { createHeldBytes, createRequestBytes, readImages } from './readImages.ts';
import type { ServeLimits } from './serveLimits.ts';
import type { ServeMetrics } from './serveMetrics.ts';
import { type PageFacts, servePage } from './servePage.ts';
import { requireBearer } from './whoMayAsk.ts';

export interface RoutesOptions {
  readonly classifier: ImageClassifier;
  readonly limits: ServeLimits;
  readonly metrics: ServeMetrics;
  readonly page: Pick<PageFacts, 'title'>;
  /** What a request has to bear; without one, all may ask. */
  readonly token: string | undefined;
  readonly isStopping: () => boolean;
}

type App = ReturnType<typeof withZod>;

function withZod(instance: FastifyInstance) {
  return instance.withTypeProvider<ZodTypeProvider>();
}

/** Adds what the server answers: see `describeRoutes` for how it is written down. */
export function addRoutes(instance: FastifyInstance, options: RoutesOptions): void {
  const app = withZod(instance);
  addClassify(app, options);
  addHealth(app, options);
  const { metrics, page, token } = options;
  const hidden = { schema: { hide: true } };
  const guarded = { onRequest: bearerHook(token) };
  app.get('/metrics', { ...hidden, ...guarded }, async (_, reply) => {
    const { text, contentType } = await metrics.text();
    return reply.type(contentType).send(text);
  });
  app.get('/openapi.json', { ...hidden, ...guarded }, (_, reply) => reply.send(app.swagger()));
  app.get('/', hidden, async (_, reply) => {
    const served = await servePage({ ...page, needsToken: token !== undefined });
    return reply.header('Content-Security-Policy', served.policy).type('text/html; charset=utf-8').send(served.page);
  });
}

function bearerHook(token: string | undefined) {
  return ({ headers }: FastifyRequest, _: FastifyReply, done: () => void) => {
    requireBearer(headers, token);
    done();
  };
}

function addClassify(app: App, { classifier, limits, metrics, token }: RoutesOptions): void {
  const held = createHeldBytes(limits.heldBytes);
  const schema = {
    summary: 'Classify images',
    description: 'Answers in the order in which the images were sent. A broken image has its error beside the others.',
    querystring: classifyQuerySchema,
    response: { 200: classifyAnswerSchema(limits.images), default: refusalSchema },
  };
  app.post('/classify', { schema, onRequest: bearerHook(token) }, async (request, reply) => {
    const leaving = new AbortController();
    reply.raw.on('close', () => leaving.abort());
    const bytes = createRequestBytes(held, limits);
    try {
      const images = await readImages(request, limits, bytes);
      const answers = await classifier.classify(images, { topK: request.query.top, signal: leaving.signal });
      for (const answer of answers) metrics.image(answer);
      return { images: [...answers] };
    } finally {
      bytes.release();
    }
  });
}

function addHealth(app: App, { isStopping }: RoutesOptions): void {
  const schema = (summary: string) => ({ schema: { summary, response: { 200: healthSchema, 503: healthSchema } } });
  app.get('/health/live', schema('Whether the server runs'), () => ({ status: 'live' as const }));
  for (const path of ['/health', '/health/ready']) {
    app.get(path, schema('Whether the server takes requests'), (_, reply) => {
      reply.code(isStopping() ? 503 : 200);
      return { status: isStopping() ? ('stopping' as const) : ('ready' as const) };
    });
  }
}
