import type { ServiceAnswerBody, ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import type { Service, ServiceCall } from '../parts.ts';

type AnswerType = ServiceAnswerBody['type'];

/** Makes a request whose answer is one message of that type. Throws as `Service.request` does. */
export async function answerOf<Type extends AnswerType>(
  service: Service,
  request: ServiceRequestBody,
  type: Type,
  call: ServiceCall = {},
): Promise<Extract<ServiceAnswerBody, { type: Type }>> {
  let found: Extract<ServiceAnswerBody, { type: Type }> | undefined;
  const isWanted = (answer: ServiceAnswerBody): answer is Extract<ServiceAnswerBody, { type: Type }> =>
    answer.type === type;
  await service.request(request, {
    ...call,
    onAnswer: (answer) => {
      if (isWanted(answer)) found = answer;
      call.onAnswer?.(answer);
    },
  });
  if (!found) throw new Error(`the service answered a request "${request.type}" with no "${type}"`);
  return found;
}
