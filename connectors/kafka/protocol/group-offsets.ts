import { createAPI, offsetFetchV8, ResponseError } from '@platformatic/kafka';

type Answer = offsetFetchV8.OffsetFetchResponse;

/** The client's answer, also where single partitions have an error: that of a group with many tasks always has some that commit. */
function parseResponse(...args: Parameters<typeof offsetFetchV8.parseResponse>): Answer {
  try {
    return offsetFetchV8.parseResponse(...args);
  } catch (error) {
    const { response } = error as { response?: Answer };
    if (!(error instanceof ResponseError) || !response) throw error;
    if (response.groups.some(({ errorCode }) => errorCode !== 0)) throw error;
    return response;
  }
}

/** The offsets of groups, with an error code for each partition. */
export const groupOffsetsApi = createAPI<Parameters<typeof offsetFetchV8.createRequest>, Answer>(
  9,
  8,
  offsetFetchV8.createRequest,
  parseResponse,
);
