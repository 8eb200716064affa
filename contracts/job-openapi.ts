// The OpenAPI document of the job service: its words and its examples.
import { type ErrorCode, errorCatalog } from './errors.ts';
import { jobRequestSchemas } from './job.ts';
import {
  dnsJobReplySchema,
  jobCalls,
  jobErrorOf,
  jobErrorSchema,
  typedSubmissionSchemas,
} from './job-api.ts';
import { jobExamples } from './job-examples.ts';
import { jobNotes } from './job-notes.ts';
import { createOpenApiDocument, type HttpErrorReplies, type OpenApiDocument } from './openapi.ts';
import {
  algorithmReplySchema,
  pathAttributesSchema,
  pathReplySchema,
  policyPathSchema,
  segmentIdSchema,
  segmentListSchema,
} from './path-reply.ts';
import { pathAlgorithmSchema, pathLinkSchema, pathNodeSchema, srPolicySchema } from './path-request.ts';
import { verboseRowSchema } from './probe.ts';

const description = `Computations that take longer than a reply may: submitted, and asked about until they are done.

A task is submitted with a POST, or a PUT, of JSON in UTF-8, whatever its content type, and answered with a \`task_id\`.
\`check_status\` tells its state:

| task_state | meaning |
| --- | --- |
| PENDING | waits, or is being worked on |
| SUCCESS | \`data\` is the result |
| FAILURE | \`info\` says why |

From SUCCESS or FAILURE on a state never changes. A task is kept for as long as the service is configured to; its id is
not found after that.

| type | computes |
| --- | --- |
| bod_pasta | a path for one policy with reserved bandwidth (bandwidth on demand) |
| nonbod_pasta | a path for one policy without reservation |
| bod_modified | a new path for a changed policy: what it had before is given back first |
| bod_reopt | all reserved policies anew, in the order of \`sorting\` |
| nonbod_reopt | all policies without reservation anew |
| bod_congest_reopt | ways around congested links for some of the policies that load them |
| dns_result | a DNS probe with more cells than one reply can hold |

Of each \`algorithm\` of the request the result has one entry, whose \`status\` says whether it found what was wanted.
A path lists nodes and links by turns. \`sids\` is the segment list that makes packets take the \`paths\`, and no others
(RFC 8402); \`segs\` has one entry for each segment, the list of its equal-cost paths.

A submission with an idempotency key may be repeated: the same request gets the id of the first one, another request
with the same key an error.

Every error has \`status\` false, and \`info\` with its code. Every reply carries \`X-Request-Id\`: the one of the
request, or a new one.`;

/** What stands in many of the requests and replies. */
const components = {
  PathNode: pathNodeSchema,
  PathLink: pathLinkSchema,
  SrPolicy: srPolicySchema,
  ChangedPolicy: jobRequestSchemas.bod_modified.shape.sr_policy,
  PathAlgorithm: pathAlgorithmSchema,
  BodPastaSubmission: typedSubmissionSchemas.bod_pasta,
  NonbodPastaSubmission: typedSubmissionSchemas.nonbod_pasta,
  BodModifiedSubmission: typedSubmissionSchemas.bod_modified,
  BodReoptSubmission: typedSubmissionSchemas.bod_reopt,
  NonbodReoptSubmission: typedSubmissionSchemas.nonbod_reopt,
  BodCongestReoptSubmission: typedSubmissionSchemas.bod_congest_reopt,
  DnsResultSubmission: typedSubmissionSchemas.dns_result,
  PathResult: pathReplySchema,
  AlgorithmResult: algorithmReplySchema,
  PolicyPath: policyPathSchema,
  SegmentList: segmentListSchema,
  Segment: segmentIdSchema,
  PathAttributes: pathAttributesSchema,
  DnsResult: dnsJobReplySchema,
  DnsRow: verboseRowSchema,
};

const errorReplies = {
  INVALID_REQUEST: reply('INVALID_REQUEST', 'The request is wrong; the details name its faults, 20 at most.'),
  UNAUTHORIZED: reply('UNAUTHORIZED', 'The request carries no key that lets it in.'),
  NOT_FOUND: reply('NOT_FOUND', 'There is no such task, or no longer.'),
  CONFLICT: reply('CONFLICT', 'The task is of another type, or another request has this idempotency key.'),
  PAYLOAD_TOO_LARGE: reply(
    'PAYLOAD_TOO_LARGE',
    'The body is too large, or asks for more rows than a probe may have.',
  ),
  OVERLOADED: reply('OVERLOADED', 'The service has all it can hold; the same request may succeed later.'),
  INTERNAL: reply('INTERNAL', 'A fault of the service; its log has the reason under the request id.'),
  UNAVAILABLE: reply(
    'UNAVAILABLE',
    'The database is away, or the service is being stopped; the same request may succeed later.',
  ),
} satisfies HttpErrorReplies;

function reply(code: ErrorCode, told: string): { status: number; description: string } {
  return { status: errorCatalog[code].status, description: told };
}

/** What `GET /openapi.json` of the service gives. */
export function createJobDocument(): OpenApiDocument {
  return createOpenApiDocument({
    title: 'Jobs',
    description,
    calls: jobCalls,
    examples: jobExamples,
    notes: jobNotes,
    components,
    error: { schema: jobErrorSchema, example: errorExample, replies: errorReplies },
  });
}

const errorMessages: Partial<Record<ErrorCode, string>> = {
  INVALID_REQUEST: 'links.0.remote: there is no node P9',
  UNAUTHORIZED: 'expected a key, as Authorization: Bearer or X-API-Key',
  NOT_FOUND: 'there is no such task',
  CONFLICT: 'this task is of type bod_pasta, not nonbod_pasta',
  PAYLOAD_TOO_LARGE: 'the body is larger than 16777216 bytes',
  OVERLOADED: '200 requests are being answered already',
  INTERNAL: 'the service failed; its log has the reason under this request id',
  UNAVAILABLE: 'the database is away',
};

function errorExample(code: ErrorCode): unknown {
  return jobErrorOf(code, errorMessages[code] ?? '');
}
