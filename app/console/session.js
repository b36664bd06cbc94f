// Who is signed in: the key, and whom it stands for. The key is kept for this tab, or on this device when asked to.

const NAME = "wayside.key";
const RANKS = ["client", "staff", "engineer", "admin"];

/** `me` is what `GET /api/me` says; null before sign-in. */
export const session = { me: null };

export function storedKey() {
  return sessionStorage.getItem(NAME) ?? localStorage.getItem(NAME);
}

export function keepKey(key, remember) {
  forgetKey();
  (remember ? localStorage : sessionStorage).setItem(NAME, key);
}

export function forgetKey() {
  sessionStorage.removeItem(NAME);
  localStorage.removeItem(NAME);
}

/** Whether the signed-in role may do what `role` may. */
export function atLeast(role) {
  return session.me !== null && RANKS.indexOf(session.me.role) >= RANKS.indexOf(role);
}

/** How a key is said to the one who reads. */
export function whose(key) {
  return key === session.me.key_id ? "you" : key;
}

/** The owner of the signed-in person's own threads, as the API names owners. */
export function ownOwner() {
  const { customer_id: customer, key_id: key } = session.me;
  return customer ? `customer:${customer}` : `key:${key}`;
}
