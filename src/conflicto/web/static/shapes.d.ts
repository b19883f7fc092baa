// Shapes that modules share; `api.d.ts` holds those of the API.

import type {
  Activity,
  ActivityResults,
  Leaderboard,
  Participant,
  ParticipantResponse,
  Problem,
  Session,
} from "./api.js";

export type * from "./api.js";

// Data of the page, from the JSON in its HTML.
export interface Boot {
  base: string; // address of this build's files
  deferred: string | null; // address of the texts that are not part of the HTML
  image_origins: string[];
  installs_types?: boolean; // hosts may install types for their session
  languages: Record<string, string>;
  limits: Record<string, number>;
  locale: string;
  public_url: string;
  retention_days: number | null;
  server: string; // id of the installation
  texts: Texts;
  types: Record<string, Partial<TypeData>>;
  versions?: Record<string, Partial<TypeData>>; // older versions, and types for one session, by key
}

// A catalog: texts by key. A plural form has the key of the text and `.one`, `.few` …
export type Texts = Record<string, string>;

// Values for the names in braces of a text. `n` selects the plural form.
export type Values = { n?: number } & Record<string, string | number | null | undefined>;

// What a page knows of an activity type; a host's page knows more.
export interface TypeData {
  older?: string[]; // versions, newest first
  views: string[];
  framed?: boolean; // the views run in frames: the type does not come with the program
  version?: string;
  headline?: string;
  title?: string;
  icon?: string;
  texts: Texts;
  config_defaults: Record<string, any>;
  value_sources: Record<string, ValueSource>;
  drawings: Record<string, Drawing>;
  response?: Shape;
  fresh?: { config?: any; secret?: any }; // a new activity's
  defaults?: Partial<Activity>;
  config?: any; // schemas
  secret?: any;
}

// Name and message of an error, and the place in the files of its type.
export interface FaultPlace {
  name: string;
  message: string;
  file: string;
  line: number;
}

// A fault of a view. `reason` tells why its page cut it off.
export interface ViewFault extends Partial<FaultPlace> {
  type: string;
  view: string;
  reason?: string;
}

// How a result is drawn, as far as its type declares it.
export interface Drawing {
  chart?: string;
  figure?: "mean" | "share" | "sum";
  title?: string;
  unit?: string; // pointer into the config
  shape?: Shape; // of counted values that are objects
}

// The shape of values that are written in words.
export interface Shape {
  title?: string;
  source?: ValueSource; // of the names of values
  texts?: Record<string, string>; // by value
  members?: Record<string, Shape>;
  items?: Shape;
  names?: ValueSource; // of the names of other members
  others?: Shape;
}

// Where the possible values of an aggregation are: a list of a config, two bounds, or a list of values.
export interface ValueSource {
  in?: string;
  values?: Value[];
  label?: string | null;
  min?: string;
  max?: string;
  from?: number;
  to?: number;
  second?: ValueSource; // the other side of pairs
}

export interface Value {
  value: any;
  text?: string;
  row?: any;
}

// The parts of an activity from which its phase and its question follow.
export type ActivityLike = Pick<Activity, "type"> & Partial<Activity>;

export type Phase = "ready" | "open" | "locked" | "revealed";

// The description of an element, as `h` returns it.
export interface VNode {
  tag: string;
  props: Props;
  children: Child[];
}

export type Props = Record<string, any>;

export type Child = VNode | Node | string | number;

// Children as views write them: nested, with gaps.
export type Children = Child | null | undefined | false | Children[];

export type Results = ActivityResults["results"];

// Options of a request. `required`: fields that a successful body must have.
export interface RequestOptions {
  key?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  required?: string[];
}

// The body of a problem; a body of somebody else has any fields.
export type ProblemBody = Partial<Problem> & Record<string, any>;

// A response that waits in the outbox. An entry of a slot replaces an earlier one of it.
export interface OutboxEntry {
  key: string;
  at: number;
  of?: string;
  slot: string | null;
  path: string;
  body: unknown;
  sent?: boolean;
}

// A message between tabs of a seat.
export interface TabMessage {
  put?: OutboxEntry;
  drop?: string;
  outcome?: ParticipantResponse;
  status?: number;
  body?: ProblemBody;
}

// A result in words and numbers. Its charts and its table draw the same rows.
export interface Description {
  caption: string;
  heads: string[];
  rows: Bar[];
  isOpen?: boolean; // there are more
}

// A row of a chart.
export interface Bar {
  value: any;
  text: string;
  size: number;
  figure: string;
  isRight?: boolean;
  isMine?: boolean;
}

// What charts know besides a result.
export interface ChartContext {
  mine: any;
  texts: Map<string, string>;
  most: number;
  values: Value[];
  seconds: Value[];
  right: any;
  chart?: string;
  figure?: "mean" | "share" | "sum";
  textOf: (value: any) => string;
  withUnit: (number: number) => string;
}

// What a screen shows of an activity.
export interface Shown {
  phase: Phase;
  counted?: Results | null;
  responses?: ParticipantResponse[];
  count?: number;
  ranks?: Leaderboard | null;
  isBroken?: boolean;
  redraw?: () => void;
}

// An event of a field.
export type InputOf = Event & { target: HTMLInputElement };

// The properties that a page sets on a view: of an activity on phones and screens, and of an editor.
export interface ActivityProperties {
  activity: Activity;
  phase: Phase;
  mine: ParticipantResponse | null;
  answers: ParticipantResponse[];
  draft: any;
  responses: ParticipantResponse[] | null;
  results: Record<string, any> | null;
  count: number | null;
  ranks: Leaderboard | null;
}

// The class of a view of the phone.
export type ViewClass = CustomElementConstructor & { isInstant?: boolean; showsResults?: boolean };

export interface EditorProperties {
  type: string;
  config: any;
  secret: any;
  form: () => Children;
}

export interface TextField {
  label: string;
  value?: string | null;
  maxLength?: number;
  most?: number; // an earlier name of `maxLength`
  lines?: number; // more than one for an area
  disabled?: boolean;
  oninput: (text: string) => void;
}

export interface ConfigOption {
  id: string;
  text: string;
  image?: string;
}

// The entities of a feed, by their name.
export interface Entities {
  session: Session;
  activity: Activity;
  participant: Participant;
  response: ParticipantResponse;
}

declare global {
  interface Node {
    vnode?: VNode; // the description that an element was last drawn from
  }
}
