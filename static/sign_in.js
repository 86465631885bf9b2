// Keeps a sign-in across a reload of the page, or ends that: the server exchanges a code, which is good once, for a cookie
// that no script can read. Where only Streamlit's own server runs, the cookie is written here. Not a module: those run once.
{
  const { code, path, cookie } = document.currentScript.dataset;
  // The app is where its static files are.
  const app = new URL('../../', document.currentScript.src);
  if (cookie) document.cookie = cookie + (location.protocol === 'https:' ? '; Secure' : '');
  if (code) fetch(new URL(path, app), { method: 'POST', body: code, credentials: 'same-origin' });
}
