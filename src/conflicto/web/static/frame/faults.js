// Faults of a view, as the page around it reads them: it finds the place in the stack.

const MAX_CHARS = 500;
const MAX_STACK_CHARS = 2_000;

const cut = (text, max = MAX_CHARS) => String(text ?? "").slice(0, max);

export const faultOf = (error, file = "", line = 0) => ({
  name: cut(error?.name ?? "Error"),
  message: cut(error?.message ?? error),
  stack: cut(error?.stack, MAX_STACK_CHARS),
  file: cut(file),
  line,
});

const faultOfEvent = (event) => faultOf(event.error ?? event, event.filename, event.lineno);

// Calls `report` with every uncaught error.
export function watchFaults(report) {
  addEventListener("error", (event) => report(faultOfEvent(event)));
  addEventListener("unhandledrejection", ({ reason }) => report(faultOf(reason)));
}
