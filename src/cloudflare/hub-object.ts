/** The hub's object: its questions come from regions, and what is new goes to them. */
import type { App } from '../app.ts';
import { type Env, type ObjectState, stubOf } from './bindings.ts';
import { type Hub, openHub } from './hub.ts';
import { workerLog } from './log.ts';
import { isHint, onlyRegion } from './place.ts';
import { objectAnswer, objectHeader, objectRequest, type Questions } from './wire.ts';

export class HubObject {
  readonly #hub: Hub;

  constructor(app: App, state: ObjectState, env: Env) {
    const regions = app.settings.regions.length === 0 ? [onlyRegion] : app.settings.regions;
    const tell = async (region: string, kind: string, content: unknown): Promise<boolean> =>
      objectAnswer(await regionStub(env, region).fetch(objectRequest(kind, content)));
    this.#hub = openHub({
      state,
      push: (region, push) => tell(region, 'push', push),
      wake(asked) {
        if (asked === null) workerLog({ level: 'error', message: lossMessage });
        for (const region of asked ?? regions) tell(region, 'wake', null).catch(() => {}); // it is told when it wakes
      },
    });
  }

  async fetch(request: Request): Promise<Response> {
    if (request.headers.get(objectHeader) !== 'questions') return Response.json(this.#hub.usage);
    try {
      return Response.json(await this.#hub.answer((await request.json()) as Questions));
    } catch (cause) {
      workerLog({ level: 'error', message: 'the hub could not answer', cause });
      return new Response(null, { status: 503 });
    }
  }

  alarm(): void {
    this.#hub.host.alarm();
  }
}

const lossMessage = 'ALARM regression: the hub lost something; every region writes again what it holds';

/** The object of a region, made where its name says. */
export const regionStub = (env: Env, region: string) => stubOf(env.REGION, region, isHint(region) ? region : undefined);
