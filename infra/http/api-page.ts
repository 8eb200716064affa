// The page of an API: its calls, to read and to try out. Everything comes from this process.
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import type { OpenApiDocument } from '../../contracts/openapi.ts';

/** Nothing from elsewhere, and no other page around it; the page itself sets styles of elements. */
const contentPolicy = [
  "default-src 'self'",
  "img-src 'self' data:",
  "style-src 'self' 'unsafe-inline'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** `GET /docs`, the page, and `GET /openapi.json`, the document that it shows. */
export function registerApiPage(app: FastifyInstance, document: OpenApiDocument): void {
  const { title, version } = document.info;
  app.get('/openapi.json', () => document);
  app.register(swagger, {
    mode: 'static',
    // The types of this package end with OpenAPI 3.0; what the page gets is given below.
    specification: { document: { openapi: document.openapi, info: { title, version }, paths: {} } },
  });
  app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: contentPolicy,
    transformSpecification: () => document,
    transformSpecificationClone: false,
    uiConfig: { layout: 'BaseLayout', displayRequestDuration: true, tryItOutEnabled: true },
    theme: { title },
  });
}
