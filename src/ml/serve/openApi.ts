import type { FastifyInstance } from 'fastify';
import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import packageJson from '../../../package.json' with { type: 'json' };

/** One image as its bytes. */
const oneImage = { schema: { type: 'string' as const, format: 'binary' } };

/** What `POST /classify` takes. The schemas of the routes say the rest. */
const classifyBody = {
  required: true,
  content: {
    'multipart/form-data': {
      schema: {
        type: 'object' as const,
        properties: { image: { type: 'array' as const, items: oneImage.schema } },
        description: 'Each part is an image, whatever it is called.',
      },
    },
    'image/*': oneImage,
    'application/octet-stream': oneImage,
  },
};

/** Makes the OpenAPI document from the schemas of the routes that are registered after it. */
export async function describeRoutes(app: FastifyInstance, { needsToken }: { needsToken: boolean }): Promise<void> {
  const security = needsToken ? { security: [{ token: [] }] } : {};
  const options: FastifyDynamicSwaggerOptions = {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Fivecrop',
        version: packageJson.version,
        description: 'Classifies images. An answer other than 200 is an object whose `error` is a sentence.',
      },
      components: needsToken ? { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } } : {},
      ...security,
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => {
      if (!('openapiObject' in document)) throw new Error('the document is not OpenAPI 3');
      const { openapiObject } = document;
      const classify = openapiObject.paths?.['/classify']?.post;
      if (classify) classify.requestBody = classifyBody;
      return openapiObject;
    },
  };
  await app.register(swagger, options);
}
