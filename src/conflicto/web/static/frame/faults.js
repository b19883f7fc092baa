// Faults of a view: name, message and place. Places are files of the type, such as `participant.js`.

const MAX_CHARS = 500;
const PLACE = /\/types\/[^/]+\/([^\s:)?#]+):(\d+)/;

const cut = (text) => String(text ?? "").slice(0, MAX_CHARS);

export function faultOf(error, file = "", line = 0) {
  const [, found = fileOf(file), at = line] = PLACE.exec(error?.stack ?? "") ?? [];
  return {
    name: cut(error?.name ?? "Error"),
    message: cut(error?.message ?? error),
    file: cut(found),
    line: Number(at) || 0,
  };
}

const fileOf = (address) => address.split("/").at(-1).split(/[?#]/)[0];

// Calls `report` with every uncaught error.
export function watchFaults(report) {
  addEventListener("error", ({ error, message, filename, lineno }) =>
    report(faultOf(error ?? { message }, filename, lineno)),
  );
  addEventListener("unhandledrejection", ({ reason }) => report(faultOf(reason)));
}
