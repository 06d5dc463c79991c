import type { components, paths } from "./control";

type Method = "get" | "post" | "put" | "delete";
type At<P extends keyof paths, M> = M extends keyof paths[P] ? Exclude<paths[P][M], undefined> : never;

/** The paths of the control API, below its URL. */
export type ControlPath = keyof paths;

/** The methods that a path has. */
export type ControlMethod<P extends ControlPath> = {
  [M in Method]: [At<P, M>] extends [never] ? never : Uppercase<M>;
}[Method];

type Operation<P extends ControlPath, M extends string> = At<P, Lowercase<M>>;
type Json<T> = T extends { content: { "application/json": infer J } } ? J : never;
type Defined<T> = Exclude<T, undefined>;

type Body<O> = O extends { requestBody: infer R }
  ? { body: Json<R> }
  : O extends { requestBody?: infer R }
    ? [Json<Defined<R>>] extends [never]
      ? { body?: undefined }
      : { body?: Json<Defined<R>> }
    : { body?: undefined };
type InPath<O> = O extends { parameters: { path: infer R } } ? { path: R } : { path?: undefined };
type Query<O> = O extends { parameters: { query?: infer R } } ? { query?: Defined<R> } : { query?: undefined };
type Options<O> = Body<O> & InPath<O> & Query<O>;
type Rest<T> = {} extends T ? [options?: T] : [options: T];
type Result<O> = O extends { responses: infer R }
  ? { [S in keyof R]: S extends 200 | 201 ? Json<R[S]> : S extends 204 ? undefined : never }[keyof R]
  : never;

/** Call the control API: its result, `undefined` where it has none. Throws `ControlError` where it is refused. */
export type ControlCall = <P extends ControlPath, M extends ControlMethod<P>>(
  method: M,
  path: P,
  ...rest: Rest<Options<Operation<P, M>>>
) => Promise<Result<Operation<P, M>>>;

/** The ready line of the program. */
export interface Ready {
  version: string;
  pid: number;
  url: string;
  live_url: string;
  control_url: string;
  /** The secret of every well-known token by its name. */
  tokens: Record<string, string>;
  ca_file: string | null;
  dashboard_url: string | null;
}

/** A whole fake of its own, whose clock stands still until it is moved. */
export interface Namespace {
  id: string;
  /** Base URL of the sandbox. */
  url: string;
  /** Base URL of live. */
  liveUrl: string;
  controlUrl: string;
  /** Control URL of the program that it is in. */
  sharedUrl: string;
  /** Secret of a service token with every scope. */
  key: string;
  /** Secret of an admin token with every scope and a second factor. */
  adminKey: string;
  call: ControlCall;
  /** Delete it, and end the program if it was started for this namespace. */
  close(): Promise<void>;
}

/** A running program. */
export interface Fake {
  url: string;
  liveUrl: string;
  controlUrl: string;
  ready: Ready;
  call: ControlCall;
  namespace(options?: Omit<NamespaceOptions, "controlUrl">): Promise<Namespace>;
  close(): Promise<void>;
}

export interface StartOptions {
  /** Further options of `paylera-mock serve`. */
  args?: string[];
  env?: Record<string, string | undefined>;
}

export interface NamespaceOptions {
  /** By default what the environment names (`paylera-mock exec`, `paylera-mock/global-setup`), else one is started. */
  controlUrl?: string;
  controlToken?: string;
  /** What it does otherwise than the fake that it is in. */
  settings?: components["schemas"]["NamespaceBody"];
  env?: Record<string, string | undefined>;
}

/** Start a fake on a free port. It ends with `close()`, and with this process at the latest. */
export function startFake(options?: StartOptions): Promise<Fake>;

/** Open a fake of its own within a running one. */
export function openNamespace(options?: NamespaceOptions): Promise<Namespace>;

/** The fake of this test file, which `paylera-mock/jest` or `paylera-mock/vitest` has opened. */
export function fake(): Namespace;

/** The control API refused a call. */
export class ControlError extends Error {
  status: number;
  problem: components["schemas"]["problem"];
}

/** No way was found to run the Python program. */
export class CommandNotFoundError extends Error {}
