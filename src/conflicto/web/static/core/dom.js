// Virtual DOM: updates elements to a description with minimal changes, so that focus and typed text stay.

/** @import { Child, Children, Props, VNode } from "../shapes.js" */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} tag
 * @param {Props | null} props
 * @param {Children[]} children
 * @returns {VNode}
 */
export function h(tag, props, ...children) {
  return { tag, props: props ?? {}, children: flat(children) };
}

/**
 * @param {Children[]} children
 * @returns {Child[]}
 */
const flat = (children) =>
  /** @type {Child[]} */ (
    /** @type {any[]} */ (children)
      .flat(Infinity)
      .filter((each) => each !== null && each !== undefined && each !== false)
  );

/**
 * @param {Element} parent
 * @param {Children} children
 */
export function patch(parent, children) {
  const wanted = flat([children]);
  /** @type {Map<string, ChildNode[]>} */
  const free = new Map();
  for (const node of parent.childNodes) {
    const name = nameOf(node);
    free.set(name, [...(free.get(name) ?? []), node]);
  }
  const kept = wanted.map((each) => free.get(nameOf(each))?.shift());
  for (const nodes of free.values()) for (const node of nodes) node.remove(); // first: a frame that moves would load again
  let place = parent.firstChild;
  for (const [index, each] of wanted.entries()) {
    const node = kept[index] ?? createNode(each, parent);
    if (node === place) place = node.nextSibling;
    else parent.insertBefore(node, place);
    updateNode(node, each);
  }
}

/**
 * Returns the identity of a node. Nodes with the same tag and key are reused.
 *
 * @param {Child} each
 */
function nameOf(each) {
  if (typeof each !== "object") return "#text";
  const isNode = "nodeType" in each;
  if (isNode && each.nodeType === Node.TEXT_NODE) return "#text";
  const vnode = isNode ? each.vnode : each;
  if (!vnode) return `foreign ${isNode && each.nodeName}`;
  return `${vnode.tag} ${vnode.props.key ?? ""}`;
}

/**
 * @param {Child} each
 * @param {Element} parent
 * @returns {ChildNode}
 */
function createNode(each, parent) {
  if (typeof each !== "object" || "nodeType" in each) return document.createTextNode("");
  const isSvg = each.tag === "svg" || (parent.namespaceURI === SVG && parent.localName !== "foreignObject");
  const node = isSvg ? document.createElementNS(SVG, each.tag) : document.createElement(each.tag);
  node.vnode = { tag: each.tag, props: {}, children: [] };
  return node;
}

/**
 * @param {any} node an element, or a text for a text
 * @param {Child} each
 */
function updateNode(node, each) {
  if (typeof each !== "object" || "nodeType" in each) {
    if (node.data !== String(each)) node.data = String(each);
    return;
  }
  const before = node.vnode.props;
  for (const name of Object.keys(before)) if (!(name in each.props)) setProperty(node, name, null);
  node.vnode = each;
  for (const [name, value] of Object.entries(each.props)) if (value !== before[name]) setProperty(node, name, value);
  if (!each.props.unmanaged && !each.props.own) patch(node, each.children);
}

/**
 * Never writes into a focused field, except to empty it after sending.
 *
 * @param {any} node
 * @param {string} name
 * @param {unknown} value
 */
function setFormValue(node, name, value) {
  const isTheirs =
    name === "value" && value !== "" && node === document.activeElement && node.matches("input, textarea");
  if (!isTheirs && node[name] !== value) node[name] = value;
}

/**
 * Sets a property of a view. A view that throws fails alone: the rest of the page is drawn.
 *
 * @param {any} node
 * @param {string} name
 * @param {unknown} value
 */
function setViewProperty(node, name, value) {
  try {
    node[name] = value;
  } catch (error) {
    const failed = new CustomEvent("failed", { detail: { error }, bubbles: true });
    queueMicrotask(() => node.dispatchEvent(failed)); // the page is drawing
  }
}

const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "hidden", "open", "indeterminate"]);

/**
 * @param {any} node
 * @param {string} name
 * @param {any} value
 */
function setProperty(node, name, value) {
  if (/^(key|own|unmanaged)$/.test(name)) return;
  if (name === "style") for (const [rule, to] of Object.entries(value ?? {})) node.style.setProperty(rule, to);
  else if (name.startsWith("on")) node[name] = value;
  else if (name.startsWith(".")) setViewProperty(node, name.slice(1), value);
  else if (PROPERTIES.has(name)) setFormValue(node, name, value ?? (name === "value" ? "" : false));
  else if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? "" : value);
}
