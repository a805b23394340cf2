"""The flow that an author would write for each published exchange with a card or a text format, by its number.

The published `<b>` and `<ss>` say no `textFormat`, so they are markdown, which can hold such tags.
"""

MATSU = "https://mydeploy.azurewebsites.net/matsu.jpg"
SITE = "{type: openUrl, title: Go to my site, value: https://blog.example.com/}"
DISH = """
          - card: hero
            title: {title}
            subtitle: {subtitle}
            images: [{{url: https://mydeploy.azurewebsites.net/{name}}}]
            buttons:
              - {{title: 1 piece, value: "{word},1"}}
              - {{title: 2 piece, value: "{word},2"}}
              - {{title: more, value: "{word},3+"}}"""
DISHES = "".join(
    DISH.format(title=title, subtitle=subtitle, name=name, word=title.lower())
    for title, subtitle, name in (
        ("Sushi", "Very fresh shrimp or tuna.", "sushi.png"),
        ("Tenpura", "Japanese first-class vegitables.", "tenpura.jpg"),
        ("Tofu", "Super healthy food condensed by soy milk.", "tofu.jpg"),
    )
)
FLOWS = {
    "20": """
start:
  say:
    textFormat: markdown
    text: "# Welcome to **Botland**nnPlease visit [my blog](https://blog.example.com/).nn---nnThis is a test."
  next: bye
""",
    "21": """
start:
  say:
    textFormat: markdown
    text: Welcome to <b>Botland</b>. Please visit <a href="https://blog.example.com/">my blog</a>.
  next: bye
""",
    "22": """
start: {say: {textFormat: markdown, text: <ss type ="wink">;)</ss>}, next: bye}
""",
    "23": """
start:
  say:
    card: image
    text: This is test attachment.
    url: https://mydeploy.azurewebsites.net/matsu.jpg
    contentType: image/jpg
    name: matsu.jpg
  next: bye
""",
    "24": """
start:
  say:
    card: file
    text: This is test attachment.
    url: https://myfiles01.blob.core.windows.net/sample/test01.xlsx
    contentType: application/vnd.openxmlformats-officedocument.spreadsheetml.sheet
    name: test01.xlsx
  next: bye
""",
    "25": """
start:
  menu:
    prompt: What kind of sandwich would you like on your sandwich?
    choices:
      blt: {dtmf: "1", speech: [BLT]}
      ham: {dtmf: "2", speech: [Black Forest Ham]}
      chicken: {dtmf: "3", speech: [Buffalo Chicken]}
  next: bye
""",
    "26": f"""
start:
  say:
    - Sample with a hero card
    - card: hero
      guard: call.channel == "chat"
      title: I'm a hero card
      subtitle: Please visit my site.
      images: [{{url: {MATSU}}}]
      buttons: [{SITE}]
  next: bye
""",
    "27": f"""
start:
  say:
    - Sample with a thumbnail card
    - card: thumbnail
      guard: call.channel == "chat"
      title: I'm a thumbnail card
      subtitle: Please visit my site.
      images: [{{url: {MATSU}}}]
      buttons: [{SITE}]
  next: bye
""",
    "28": f"""
start:
  say:
    card: receipt
    text: Sample with a receipt card
    title: I'm a receipt card
    items:
      - title: Sushi
        subtitle: 2 piece
        image: {{url: https://mydeploy.azurewebsites.net/sushi.png}}
        price: 16.25
        quantity: 1
      - title: Tenpura
        subtitle: 1 dish
        image: {{url: https://mydeploy.azurewebsites.net/tenpura.jpg}}
        price: 34.50
        quantity: 2
    total: 275.25
    tax: 27.52
    buttons: [{SITE}]
  next: bye
""",
    "29": """
start:
  say:
    card: hero
    text: Welcome to our help desk !
    buttons: [{type: call, title: Call to test.caller, value: "skype:test.caller"}]
  next: bye
""",
    "30": f"""
variables: {{wish: {{type: recording, default: none}}}}
states:
  start:
    record:
      prompt:
        - Please select your food.
        - guard: call.channel == "chat"
          carousel:{DISHES}
      transcribe: true
      into: wish
    next: told
  told: {{say: "{{{{ wish.transcript or 'Nothing' }}}}.", next: bye}}
""",
    "31": """
start:
  say:
    card: custom
    text: This is test
    channelData: |
      {"notification_type": "NO_PUSH", "attachment": {"type": "template", "payload": {
        "template_type": "airline_update", "intro_message": "Your flight is delayed", "update_type": "delay",
        "locale": "en_US", "pnr_number": "CF23G2", "update_flight_info": {
          "flight_number": "KL123",
          "departure_airport": {"airport_code": "SFO", "city": "San Francisco", "terminal": "T4", "gate": "G8"},
          "arrival_airport": {"airport_code": "AMS", "city": "Amsterdam", "terminal": "T4", "gate": "G8"},
          "flight_schedule": {"boarding_time": "2015-12-26T10:30", "departure_time": "2015-12-26T11:30",
                              "arrival_time": "2015-12-27T07:30"}}}}}
  next: bye
""",
    "32": """
start:
  say: {card: signIn, text: Please login to Office 365, title: Authentication Required, url: https://contoso.com/login}
  next: bye
""",
}
