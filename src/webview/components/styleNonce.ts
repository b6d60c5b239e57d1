// The toolkit makes a style element to find out what the browser can do. It takes the nonce that the page's policy
// demands from this tag, if it is there first; without it the policy refuses the style and reports it.
const nonce = document.querySelector<HTMLScriptElement>('script[nonce]')?.nonce;
if (nonce !== undefined) {
  const tag = document.createElement('meta');
  tag.setAttribute('property', 'csp-nonce');
  tag.content = nonce;
  document.head.append(tag);
}
