// What a product looks like: its own picture, or a drawing with the colour of its kind.

import { h } from "./dom.js";
import { icon } from "./icons.js";

// [icon, hue, words]: the first line whose words occur decides; special kinds stand before general ones.
const KINDS = [
  ["paw", 65, /\b(pets?|dogs?|cats?|puppy|kitten)\b/],
  ["baby", 330, /\b(baby|babies|infant|diaper)(?! spinach| carrot)/],
  ["ice", 350, /ice.?cream|sorbet|popsicle|gelato|novelt/],
  ["pizza", 35, /pizza/],
  ["cup", 55, /coffee|\bteas?\b|espresso|cocoa|\bmugs?\b|\bcups?\b|teapot/],
  ["glass", 345, /wine|beer|(?<!ginger )\bale\b|lager|spirits|liquor|champagne|\bpinot|sauvignon/],
  ["milk", 240, /\bmilks?\b(?! choc)|\bcream\b|creamer|dairy/],
  ["cheese", 90, /cheese|cheddar|mozzarella|parmesan|margarine|butter\b/],
  ["bowl", 280, /yogh?urt|cereal|granola|oats?\b|soup|pasta|noodle|spaghetti|penne|\brice\b|bowl|lasagne/],
  ["egg", 85, /\beggs?\b/],
  ["cake", 350, /cakes?\b|muffin|pastry|pastries|pies?\b|dessert|cupcake/],
  ["cookie", 60, /cookie|biscuit|cracker/],
  ["candy", 325, /candy|candies|sweets|chocolate|confection|\bgum/],
  ["bread", 70, /bread|bakery|buns?\b|rolls\b|loaf|bagel|toast|baguette|flour|baking/],
  ["snack", 45, /snack|chips\b|crisps|popcorn|pretzel|\bnuts?\b/],
  ["fish", 215, /fish|seafood|salmon|tuna|shrimp|trout|\bcod\b/],
  ["meat", 15, /meat|beef|pork|chicken|turkey|sausage|bacon|\bham\b|steak|deli\b|frankfurter|lamb/],
  ["carrot", 50, /carrot|vegetable|potato|onion|tomato|pepper|broccoli|\bcorn\b|\bbeans?\b|mushroom/],
  ["apple", 20, /fruit|apple|banana|orange|grape|berr(y|ies)|melon|citrus|peach/],
  ["leaf", 140, /produce|salad|spinach|lettuce|herb|nutrition|organic/],
  ["snow", 225, /frozen|\bfrzn\b|\bice\b/],
  ["bottle", 195, /drink|beverage|juice|soda|cola|water|lemonade|tonic|bottle/],
  ["jar", 30, /sauce|spice|season|jam|jell|honey|syrup|condiment|pickle|pantry|\boils?\b|vinegar|dressing|\bjars?\b|peanut butter/],
  ["can", 25, /canned|\bcans?\b|\btins?\b|shelf stable/],
  ["roll", 230, /paper|tissue|towel|napkin/],
  ["spray", 185, /clean|detergent|laundry|bleach|household|air care|dish/],
  ["pill", 170, /health|medic|vitamin|pharma|\bdrug|cold\b|remed|dental|toothpaste|diet/],
  ["drop", 310, /beauty|cosmetic|hair|soap|shampoo|skin|make.?up|fragrance|deodorant|\bcare\b|bath/],
  ["candle", 45, /candle|t-light|lamp|lantern|\blights?\b/],
  ["heart", 0, /heart|love|valentine/],
  ["tree", 150, /christmas|xmas|seasonal|holiday|garden|lawn/],
  ["flower", 335, /flor|flower|bouquet|plant|rose\b|orchid/],
  ["clock", 260, /clock|watch/],
  ["book", 250, /book|card|magazine|stationer|notebook|pencil|\bpens?\b|wrap|school|office/],
  ["shirt", 265, /cloth|apparel|shirt|sock|shoe|hosiery/],
  ["car", 245, /fuel|auto|\bgas\b|travel|car\b/],
  ["bag", 160, /\bbags?\b|luggage|shopper|grocer/],
  ["gift", 340, /gifts?\b|toys?\b|party|doll|game/],
  ["house", 120, /home|house|kitchen|furniture|hardware|frame|hook|sign\b/],
];

/** [icon, hue] for words, most telling first. */
export function kindOf(...texts) {
  for (const text of texts) {
    const words = (text ?? "").toLowerCase();
    const kind = KINDS.find(([, , pattern]) => pattern.test(words));
    if (kind) return kind;
  }
  return [null, hash(texts.filter(Boolean).at(-1) ?? "") % 360];
}

/** FNV-1a: the same words always get the same colour. */
function hash(text) {
  let h = 2166136261;
  for (const c of text) h = Math.imul(h ^ c.codePointAt(0), 16777619);
  return h >>> 0;
}

function initials(title) {
  return (title.match(/[\p{L}\p{N}]+/gu) ?? ["·"]).slice(0, 2).map((word) => [...word][0].toUpperCase()).join("");
}

function drawing(product) {
  const [leaf, ...above] = [...product.category].reverse();
  const [name, hue] = kindOf(leaf, product.title, ...above);
  const seed = hash(product.title + product.brand);
  const traits = {
    class: "picture drawing",
    "aria-hidden": "true",
    "--hue": hue + (seed % 25) - 12,
    "--x": `${15 + ((seed >>> 5) % 70)}%`,
    "--y": `${20 + ((seed >>> 12) % 60)}%`,
    "--size": `${55 + ((seed >>> 18) % 40)}%`,
  };
  return h("div", traits, name ? icon(name, "motif") : h("span", { class: "initials" }, initials(product.title)));
}

export function picture(product) {
  if (!product.image_url) return drawing(product);
  const frame = h("div", { class: "picture" });
  const broken = () => frame.replaceWith(drawing(product));
  frame.append(h("img", { src: product.image_url, alt: "", loading: "lazy", decoding: "async", onerror: broken }));
  return frame;
}

/** The badge of a department: its icon on its colour. */
export function badge(category) {
  const [name, hue] = kindOf(category.split(" > ").at(-1), category);
  return h("span", { class: "badge", "--hue": hue }, name ? icon(name) : initials(category));
}
