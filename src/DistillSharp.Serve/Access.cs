using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace DistillSharp.Serve;

/// <summary>
/// Who is let in. On this machine's own address everyone who calls it by its own name: a foreign page whose name was made to point
/// here is not. On any other address only who brings the token, once in the address and from then on as a cookie.
/// </summary>
sealed class Access
{
    const string Cookie = "distill-token", Query = "token", Header = "X-Distill";

    /// <param name="network">The address that is listened on.</param>
    public Access(IPAddress network) =>
        Token = IPAddress.IsLoopback(network) ? null : Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    /// <summary>The token; null where none is needed.</summary>
    public string? Token { get; }

    /// <summary>Passes on who is let in, and answers all others.</summary>
    public Task Check(HttpContext context, Func<Task> next)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers["Referrer-Policy"] = "no-referrer";
        if (Token is null && !IsOwnName(context.Request.Host.Host))
            return Refuse(context, "this page is served under the name localhost only");
        if (Token is not null && !HasToken(context))
            return Refuse(context, "the address lacks its token; distill serve prints the whole address");
        // A form of a foreign page cannot set a header.
        if (!HttpMethods.IsGet(context.Request.Method) && !context.Request.Headers.ContainsKey(Header))
            return Refuse(context, $"the header {Header} is missing");
        if (Token is null || !context.Request.Query.ContainsKey(Query)) return next();
        context.Response.Cookies.Append(Cookie, Token, new() { HttpOnly = true, SameSite = SameSiteMode.Strict, Path = "/" });
        context.Response.Redirect("/");
        return Task.CompletedTask;
    }

    static bool IsOwnName(string host) =>
        host is "localhost" || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    bool HasToken(HttpContext context) => Equal(context.Request.Query[Query]) || Equal(context.Request.Cookies[Cookie]);

    bool Equal(string? given) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given ?? ""), Encoding.UTF8.GetBytes(Token!));

    static Task Refuse(HttpContext context, string why)
    {
        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        return context.Response.WriteAsync(why);
    }
}
