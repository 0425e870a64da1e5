// Elements in one call: h("a", {href, class, onclick}, "text", node, ...). Text never becomes markup.

const SVG = "http://www.w3.org/2000/svg";

function dress(element, traits, children) {
  for (const [name, value] of Object.entries(traits ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const h = (tag, traits, ...children) => dress(document.createElement(tag), traits, children);
export const svg = (tag, traits, ...children) => dress(document.createElementNS(SVG, tag), traits, children);

/** The server's highlighted text as nodes: only <mark> is markup, the few escaped characters are undone. */
export function marked(text) {
  return text.split(/(<mark>.*?<\/mark>)/).map((part) => {
    const inner = part.match(/^<mark>(.*)<\/mark>$/);
    return inner ? h("mark", {}, unescaped(inner[1])) : unescaped(part);
  });
}

const CHARACTERS = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'", "&#39;": "'", "&#34;": '"' };

function unescaped(text) {
  return text.replace(/&(?:amp|lt|gt|quot|#x27|#39|#34);/g, (escaped) => CHARACTERS[escaped]);
}
