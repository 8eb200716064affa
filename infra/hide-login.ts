// URLs for logs and terminals.

/** One URL or several, parted by commas, with `…` where the login was: a token stands where a user's name does. */
export function hideLogin(urls: string): string {
  // Up to the last @ before the path: a password that was not encoded may hold one, or a comma.
  return urls
    .split(/,(?=\s*[a-z]+:\/\/)/i)
    .map((url) => url.replace(/\/\/[^/]*@/, '//…@').replace(/([?&]password=)[^&]*/, '$1…'))
    .join(',');
}
