// The appearance that a framed view takes from its page: style sheets, language, theme and sizes.

/** @type {Promise<string> | null} */
let styles = null;

// Returns the page's style sheets as one text. They are in the browser's cache, unlike for an opaque origin.
export function loadStyles() {
  /** @type {NodeListOf<HTMLLinkElement>} */
  const links = document.querySelectorAll("link[rel=stylesheet]");
  styles ??= Promise.all([...links].map(async ({ href }) => (await fetch(href, { cache: "force-cache" })).text())).then(
    (texts) => texts.join("\n"),
  );
  styles.catch(() => (styles = null));
  return styles;
}

/** @param {Element} element that holds the frame */
export function appearanceOf(element) {
  const { lang, dir, dataset } = document.documentElement;
  const stage = element.closest(".stage");
  return {
    lang,
    dir,
    theme: dataset.theme,
    size: dataset.size,
    font: getComputedStyle(element).fontSize,
    stage: stage && [stage.clientWidth, stage.clientHeight],
  };
}

/**
 * Calls `changed` when the appearance may have changed. Returns a function that ends this.
 *
 * @param {Element} element
 * @param {() => void} changed
 */
export function watchAppearance(element, changed) {
  const attributes = new MutationObserver(changed);
  attributes.observe(document.documentElement, { attributes: true });
  const sizes = new ResizeObserver(changed);
  sizes.observe(element.closest(".stage") ?? document.documentElement);
  return () => {
    attributes.disconnect();
    sizes.disconnect();
  };
}
